"""`xomyen check`."""

import sys
from typing import Annotated

import typer

from xomyen.cli.common import Dir, Json, counted, node_folder, print_json
from xomyen.node.home import holder_of, read_identity, try_lock
from xomyen.proof.keys import PublicKey, SigningKey
from xomyen.recording.check import CheckReport, check
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import NoFootage
from xomyen.terms.folder import NodeFolder

PROBLEMS = 10
"""Exit code when something is lost, altered or contradictory."""


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check_node)


def check_node(
    hashes: Annotated[bool, typer.Option("--hashes", help="Read every file and verify every hash and seal.")] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Compare files and index with each other; changes nothing, also while the node runs.

    Exit code 10 when something is lost, altered or contradictory; notes settle themselves at the next start.

    Example: xomyen check --hashes --dir /var/lib/xomyen
    """
    folder = node_folder(directory)
    read_identity(folder)
    running = _is_serving(folder)
    try:
        with IndexReader(folder.index) as index:
            report = check(
                index,
                _key(folder),
                hashes=hashes,
                running=running,
                progress=_progress if sys.stderr.isatty() else None,
            )
    except NoFootage:
        report = CheckReport()
    _print(report, hashes, running, as_json)
    if not report.clean:
        raise typer.Exit(PROBLEMS)


def _key(folder: NodeFolder) -> PublicKey | None:
    return SigningKey.load(folder.signing_key).public if folder.signing_key.exists() else None


def _is_serving(folder: NodeFolder) -> bool:
    free = try_lock(folder, "command")
    if free is not None:
        free.release()
        return False
    return holder_of(folder)[0] == "serve"


def _progress(what: str, done: int, total: int) -> None:
    end = "\n" if done >= total else ""
    print(f"\r{what}: {done} of {total}  ", end=end, file=sys.stderr, flush=True)


def _print(report: CheckReport, hashes: bool, running: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "clean": report.clean,
                "segments": report.segments,
                "open": report.open,
                "files": report.files,
                "younger": report.younger,
                "foreign": report.foreign,
                "hashed_bytes": report.hashed_bytes,
                "findings": [
                    {
                        "severity": finding.severity.value,
                        "code": finding.code,
                        "text": finding.text,
                        "path": finding.path,
                        "segment": finding.segment,
                    }
                    for finding in report.findings
                ],
            }
        )
        return
    for finding in report.findings:
        place = f" ({finding.path})" if finding.path and finding.path not in finding.text else ""
        print(f"{finding.severity.value}: {finding.text}{place}")
    figures = [f"{counted(report.segments, 'segment')} ({report.open} {'being written' if running else 'not ended'})"]
    figures.append(f"{counted(report.files, 'file')} of them")
    if report.younger:
        figures.append(f"{counted(report.younger, 'file')} too young for the index")
    if report.foreign:
        figures.append(f"{counted(report.foreign, 'other file')}")
    if hashes:
        figures.append(f"{report.hashed_bytes} bytes hashed")
    print(f"{', '.join(figures)}: {'all is well' if report.clean else 'there are problems'}.")
