"""The floor: reads the bytes that cameras send and writes them to files, without looking at them.

``python -m bench.floor COUNT PORT SECONDS FOLDER`` prints one line of JSON when done.
"""

import json
import os
import socket
import sys
import time

TICK_S = 0.25
GROUPS = 5
_BUFFER = 1 << 20


def open_camera(port: int, path: str) -> socket.socket:
    """Plays rtsp://127.0.0.1:port/path with its pictures interleaved; returns the socket just behind PLAY."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    url = f"rtsp://127.0.0.1:{port}/{path}"
    session = ""
    requests = (
        ("SETUP", url + "/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        ("PLAY", url, ""),
    )
    for number, (method, target, extra) in enumerate(requests, 1):
        sock.sendall(f"{method} {target} RTSP/1.0\r\nCSeq: {number}\r\n{extra}{session}\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += sock.recv(1)
        if b" 200 " not in answer.split(b"\r\n")[0]:
            raise ConnectionError(answer.decode())
        for line in answer.decode().split("\r\n"):
            if line.lower().startswith("session:"):
                session = f"Session: {line.partition(':')[2].strip().partition(';')[0]}\r\n"
    sock.setblocking(False)
    return sock


def run(count: int, port: int, seconds: float, folder: str) -> dict[str, float]:
    """Reads `count` cameras in groups on a 250-ms tick and writes each read to that camera's file."""
    socks = [open_camera(port, str(i + 1)) for i in range(count)]
    files = [os.open(f"{folder}/{i}.bytes", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644) for i in range(count)]
    buffer = memoryview(bytearray(_BUFFER))
    pairs = list(zip(socks, files, strict=True))
    groups = [pairs[i::GROUPS] for i in range(GROUPS)]
    for sock in socks:  # what came while the others were opened
        _drain(sock, None, buffer)
    begin, cpu, total = time.monotonic(), time.process_time(), 0
    due = begin
    while due - begin < seconds:
        for number, group in enumerate(groups):
            wait = due + number * TICK_S / GROUPS - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            for sock, file in group:
                total += _drain(sock, file, buffer)
        due += TICK_S
    spent = time.process_time() - cpu
    for sock, file in pairs:
        sock.close()
        os.close(file)
    return {"cpu_s": spent, "wall_s": time.monotonic() - begin, "bytes": total}


def _drain(sock: socket.socket, file: int | None, buffer: memoryview) -> int:
    try:
        size = sock.recv_into(buffer)
    except BlockingIOError:
        return 0
    if file is not None and size:
        os.write(file, buffer[:size])
    return size


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])))
