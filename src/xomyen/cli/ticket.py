"""`xomyen ticket`."""

from typing import Annotated

import typer

from xomyen.access.tickets import LONGEST_LIFE_S, Action, Grant, MaskRule, Ticket, issue, ticket_for
from xomyen.bus.events import publish_event
from xomyen.bus.messages import AccessEvent
from xomyen.cli.common import Dir, Json, finish, node_bus, node_folder, print_json
from xomyen.proof.keys import SigningKey
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, SystemClock, format_utc


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the command."""
    app.command("ticket")(ticket)


def ticket(
    camera: Annotated[str, typer.Option("--camera", metavar="NAME", help="The camera; * means all.")],
    action: Annotated[list[Action], typer.Option("--action", help="What it allows; may be given several times.")],
    ttl: Annotated[
        int, typer.Option("--ttl", min=1, max=LONGEST_LIFE_S, metavar="SECONDS", help="How long it counts.")
    ],
    directory: Dir = None,
    subject: Annotated[str, typer.Option("--subject", help="Who will use it.")] = "command-line",
    purpose: Annotated[str, typer.Option("--purpose", help="What for.")] = "",
    mask: Annotated[
        MaskRule,
        typer.Option("--mask", help="masked: black under the camera's masks; required: nothing of one without masks."),
    ] = MaskRule.NONE,
    as_json: Json = False,
) -> None:
    """Print a ticket that lets its bearer see one camera. Whoever may read the node's folder may issue one.

    Each ticket that is issued becomes an event. Send it as `Authorization: Bearer TICKET`, never in a URL.

    Example: xomyen ticket --camera "Cổng chợ" --action live --ttl 3600
    """
    clock = SystemClock()
    folder = node_folder(directory)

    async def work() -> tuple[Ticket, str]:
        async with node_bus(folder) as bus:
            cameras = () if camera == "*" else ((await bus.configuration.camera(camera)).config.id,)
            grant = Grant(subject=subject, cameras=cameras or "*", actions=tuple(action), mask=mask, purpose=purpose)
            key = SigningKey.load_or_create(folder.issuer_key)
            issued = ticket_for(grant, node=bus.node, issuer=key, clock=clock, lifetime_s=ttl)
            event = AccessEvent(
                id=new_id(clock),
                at_ns=clock.wall_ns(),
                ticket=issued.id,
                issuer=issued.issuer,
                subject=issued.subject,
                action="issued",
                cameras=cameras,
                purpose=purpose,
                detail=f"{'+'.join(action)} for {ttl} s",
            )
            # Told first: a ticket that nobody knows of must not exist.
            await publish_event(bus.client, bus.node, "access", event.id, event.model_dump_json().encode())
            return issued, issue(key, issued)

    issued, token = finish(work())
    if as_json:
        print_json({"ticket": token, "id": issued.id, "expires": format_utc(issued.expires_s * NS_PER_SECOND)})
    else:
        print(token)
