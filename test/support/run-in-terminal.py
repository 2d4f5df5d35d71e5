"""Runs a command in a pseudo-terminal of its own.

    run-in-terminal.py <columns> <rows> <command> [<argument>…]

What the terminal shows goes to stdout. Each line of stdin is JSON: {"resize": [columns, rows]} or {"keys": "text"}.
The end of stdin hangs the terminal up, so that nothing outlives the test. Exits as the command does.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios


def set_size(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def obey(terminal, line):
    order = json.loads(line)
    if "resize" in order:
        set_size(terminal, *order["resize"])
    else:
        os.write(terminal, order["keys"].encode())


def main():
    columns, rows, *command = sys.argv[1:]
    child, terminal = pty.fork()
    if child == 0:
        set_size(0, int(columns), int(rows))
        os.execvp(command[0], command)
    orders = b""
    sources = [terminal, 0]
    while terminal in sources:
        ready, _, _ = select.select(sources, [], [])
        if terminal in ready:
            try:
                shown = os.read(terminal, 65536)
            except OSError:  # EIO: the last process has closed its side
                shown = b""
            if shown == b"":
                break
            os.write(1, shown)
        if 0 in ready:
            given = os.read(0, 65536)
            if given == b"":
                sources.remove(0)
                os.kill(child, signal.SIGHUP)
            *lines, orders = (orders + given).split(b"\n")
            for line in lines:
                obey(terminal, line)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


main()
