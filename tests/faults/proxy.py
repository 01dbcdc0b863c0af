#!/usr/bin/python3
"""A TCP proxy that misbehaves when told to.

    proxy.py --to HOST:PORT --control SOCKET        prints the port that it listens on

A line to the control socket, an answer line back:
    ok                  forward everything (a stall ends and what it held back is delivered)
    delay MS            every chunk waits, both ways
    stall               hold everything back
    reset               reset every connection now
    refuse              reset every connection, and every new one, until ok
    cut N               reset a connection after N more bytes to the server
    drop TEXT           when bytes to the server hold TEXT: forward them, and reset instead of the answer (once)
    stats               connections, bytes and what was done
"""
import argparse
import asyncio
import json
import os
import socket
import struct
import subprocess
import sys


def reset(writer):
    """RST, not FIN"""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxy:
    def __init__(self, host, port):
        self.host, self.port = host, port
        self.delay, self.refusing, self.cut_after, self.drop_text = 0.0, False, None, None
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.live = {}
        self.stats = {"connections": 0, "bytes": 0, "resets": 0, "cuts": 0, "drops": 0}

    async def serve(self, reader, writer):
        self.stats["connections"] += 1
        if self.refusing:
            return reset(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return reset(writer)
        for w in (writer, up_writer):
            w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = {"client": writer, "server": up_writer, "mute": False}
        self.live[id(pair)] = pair
        await asyncio.gather(self.pump(reader, up_writer, pair, True),
                             self.pump(up_reader, writer, pair, False), return_exceptions=True)
        self.live.pop(id(pair), None)
        for w in (writer, up_writer):
            w.close()

    async def pump(self, reader, writer, pair, to_server):
        while True:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            if not data:
                break
            await self.open_gate.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            if to_server and self.cut_after is not None:
                if len(data) >= self.cut_after:
                    writer.write(data[:self.cut_after])
                    self.cut_after = None
                    self.stats["cuts"] += 1
                    await asyncio.sleep(0.3)  # a reset takes away what the server has not read
                    return self.break_pair(pair)
                self.cut_after -= len(data)
            if to_server and self.drop_text and self.drop_text in data:
                self.drop_text, pair["mute"] = None, True
                self.stats["drops"] += 1
            if not to_server and pair["mute"]:
                return self.break_pair(pair)
            self.stats["bytes"] += len(data)
            writer.write(data)
            try:
                await writer.drain()
            except OSError:
                break
        pair["server" if to_server else "client"].close()

    def break_pair(self, pair):
        self.stats["resets"] += 1
        reset(pair["client"])
        reset(pair["server"])

    def command(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "ok":
            self.delay, self.refusing, self.cut_after, self.drop_text = 0.0, False, None, None
            self.open_gate.set()
        elif word == "delay":
            self.delay = float(rest) / 1000
        elif word == "stall":
            self.open_gate.clear()
        elif word in ("reset", "refuse"):
            self.refusing = word == "refuse"
            for pair in list(self.live.values()):
                self.break_pair(pair)
        elif word == "cut":
            self.cut_after = int(rest)
        elif word == "drop":
            self.drop_text = rest.encode()
        elif word != "stats":
            return "what is %r?" % line
        return json.dumps(self.stats)

    async def control(self, reader, writer):
        while True:
            line = await reader.readline()
            if not line:
                break
            try:
                answer = self.command(line.decode())
            except ValueError as error:
                answer = str(error)
            writer.write(answer.encode() + b"\n")
        writer.close()


async def run(args):
    host, _, port = args.to.rpartition(":")
    proxy = Proxy(host, int(port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", args.listen)
    await asyncio.start_unix_server(proxy.control, args.control)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Running:
    """A proxy in its own process, for tests: port, tell("stall") -> stats, close()."""

    def __init__(self, to, control):
        self.control = control
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--to", to,
                                         "--control", control], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def tell(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.control)
            s.sendall(line.encode() + b"\n")
            return json.loads(s.makefile().readline())

    def close(self):
        self.process.kill()
        self.process.wait()


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--to", required=True)
    args.add_argument("--control", required=True)
    args.add_argument("--listen", type=int, default=0)
    asyncio.run(run(args.parse_args()))


if __name__ == "__main__":
    main()
