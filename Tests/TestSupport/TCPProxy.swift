import CLinux
import ClientRuntime
import Glibc

/// Forwards one port of 127.0.0.1 to another, until it is told to break what passes, as a bad network does.
package final class TCPProxy: Sendable {
  package enum Direction: Sendable, CaseIterable { case toServer, toClient }

  private struct Orders {
    var held: Set<Direction> = []
    var isClosed = false
    var bytesUntilCut: Int?
    var halfClosing: Direction?
    var delay = Duration.zero
  }

  private struct Way {
    let peer: Int32
    let direction: Direction
  }

  package let port: UInt16
  private let target: UInt16
  private let listener: Int32
  private let wakeup = Wakeup()
  private let orders = Locked(Orders())

  package init(to target: UInt16) {
    self.target = target
    (listener, port) = listenOnLoopback()
    _ = DedicatedThread(name: "proxy", stackSize: 256 << 10) { [self] in
      signal(SIGPIPE, SIG_IGN)
      serve()
    }
  }

  /// Lets nothing pass in these directions, and says nothing of it.
  package func becomeBlackHole(_ directions: Set<Direction> = Set(Direction.allCases)) { change { $0.held = directions } }

  /// Without holding anything back or delaying it.
  package func forwardAgain() {
    change {
      $0.held = []
      $0.delay = .zero
    }
  }

  /// Closes every connection there is, once that many more bytes were forwarded; new ones are forwarded as before.
  package func cut(afterBytes count: Int = 0) { change { $0.bytesUntilCut = count } }

  /// Ends one direction of every connection there is; the other goes on.
  package func halfClose(_ direction: Direction) { change { $0.halfClosing = direction } }

  /// Everything that is read waits so long before it goes on.
  package func delay(_ time: Duration) { change { $0.delay = time } }

  package func close() { change { $0.isClosed = true } }

  private func change(_ body: (inout Orders) -> Void) {
    orders.withLock(body)
    wakeup.signal()
  }

  private func serve() {
    var ways: [Int32: Way] = [:]
    defer { for descriptor in Array(ways.keys) + [listener] { Glibc.close(descriptor) } }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let now = orders.withLock { orders in
        defer { orders.halfClosing = nil }
        return orders
      }
      if now.isClosed { return }
      if let direction = now.halfClosing { for way in ways.values where way.direction == direction { shutdown(way.peer, Int32(SHUT_WR)) } }
      if let count = now.bytesUntilCut, count <= 0 {
        for descriptor in ways.keys { Glibc.close(descriptor) }
        ways = [:]
        orders.withLock { $0.bytesUntilCut = nil }
      }
      var watched = [wakeup.descriptor] + ways.filter { !now.held.contains($0.value.direction) }.keys
      if now.held.isEmpty { watched.append(listener) }
      var descriptors = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      _ = Glibc.poll(&descriptors, nfds_t(descriptors.count), -1)
      for ready in descriptors where ready.revents != 0 {
        if ready.fd == wakeup.descriptor {
          wakeup.clear()
        } else if ready.fd == listener {
          accept(into: &ways)
        } else if let way = ways[ready.fd] {
          let count = read(ready.fd, &buffer, buffer.count)
          if now.delay > .zero { usleep(UInt32(now.delay / .microseconds(1))) }
          let cutBytes = orders.withLock { orders -> Int? in
            guard let left = orders.bytesUntilCut else { return nil }
            orders.bytesUntilCut = left - max(count, 0)
            return left
          }
          // A frame whose middle is where the cut falls goes on only as far as that.
          let passed = max(min(count, cutBytes ?? .max), 0)
          if count <= 0 || !forward(buffer[..<passed], to: way.peer) {
            ways[ready.fd] = nil
            ways[way.peer] = nil
            Glibc.close(ready.fd)
            Glibc.close(way.peer)
          }
        }
      }
    }
  }

  private func accept(into ways: inout [Int32: Way]) {
    let client = Glibc.accept(listener, nil, nil)
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(target)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    if code == 0 {
      ways[client] = Way(peer: server, direction: .toServer)
      ways[server] = Way(peer: client, direction: .toClient)
    } else {
      Glibc.close(client)
      Glibc.close(server)
    }
  }

  private func forward(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
