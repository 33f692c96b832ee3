#!/usr/bin/env python3
"""A bad line between a device and the centre: passes bytes on, and cuts the next connections where it is told to.

cut.py WHERE TARGET_PORT   writes its own port to WHERE.port. Each line of the file WHERE is for one connection:
                           "up N" cuts it after N bytes from the device; "answer N" lets these and more through, and
                           loses what the centre answers then. A line goes away when it was done, the file with the last.
"""
import os
import socket
import sys
import threading

where, target = sys.argv[1], int(sys.argv[2])


class Connection:
    def __init__(self, device, centre):
        self.device, self.centre, self.up = device, centre, 0
        self.act, self.count = None, 0
        if os.path.exists(where):
            with open(where, encoding="ascii") as file:
                self.act, count = file.readline().split()
            self.count = int(count)

    def end(self, done=False):
        if done:
            with open(where, encoding="ascii") as file:
                rest = file.readlines()[1:]
            with open(where + ".rest", "w", encoding="ascii") as file:
                file.writelines(rest)
            os.rename(where + ".rest", where)
            if not rest:
                os.unlink(where)
        for side in (self.device, self.centre):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def pump_up(self):
        cut = False
        try:
            while not cut and (data := self.device.recv(4096)):
                cut = self.act == "up" and self.up + len(data) >= self.count
                self.centre.sendall(data[:self.count - self.up] if cut else data)
                self.up += len(data)
        except OSError:
            pass
        self.end(cut)

    def pump_down(self):
        cut = False
        try:
            while not cut and (data := self.centre.recv(4096)):
                cut = self.act == "answer" and self.up >= self.count
                if not cut:
                    self.device.sendall(data)
        except OSError:
            pass
        self.end(cut)


def serve(device):
    try:
        centre = socket.create_connection(("127.0.0.1", target))
    except OSError:
        device.close()
        return
    connection = Connection(device, centre)
    up = threading.Thread(target=connection.pump_up)
    up.start()
    connection.pump_down()
    up.join()
    device.close()
    centre.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    with open(where + ".port.new", "w", encoding="ascii") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(where + ".port.new", where + ".port")
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


main()
