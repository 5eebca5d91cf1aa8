import CLinux
import ClientRuntime
import Glibc

/// Forwards one port of 127.0.0.1 to another, until it is told to swallow everything and answer nothing, as a broken network does.
package final class TCPProxy: Sendable {
  package let port: UInt16
  private let target: UInt16
  private let listener: Int32
  private let wakeup = Wakeup()
  private let state = Locked((isBlackHole: false, isClosed: false, bytesUntilCut: Int?.none))

  package init(to target: UInt16) {
    self.target = target
    (listener, port) = listenOnLoopback()
    _ = DedicatedThread(name: "proxy", stackSize: 256 << 10) { [self] in
      signal(SIGPIPE, SIG_IGN)
      serve()
    }
  }

  package func becomeBlackHole() {
    state.withLock { $0.isBlackHole = true }
    wakeup.signal()
  }

  package func forwardAgain() {
    state.withLock { $0.isBlackHole = false }
    wakeup.signal()
  }

  /// Closes every connection there is, once that many more bytes were forwarded; new ones are forwarded as before.
  package func cut(afterBytes count: Int = 0) {
    state.withLock { $0.bytesUntilCut = count }
    wakeup.signal()
  }

  package func close() {
    state.withLock { $0.isClosed = true }
    wakeup.signal()
  }

  private func serve() {
    var peers: [Int32: Int32] = [:]
    defer { for descriptor in Array(peers.keys) + [listener] { Glibc.close(descriptor) } }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let (isBlackHole, isClosed, bytesUntilCut) = state.withLock { $0 }
      if isClosed { return }
      if let bytesUntilCut, bytesUntilCut <= 0 {
        for descriptor in peers.keys { Glibc.close(descriptor) }
        peers = [:]
        state.withLock { $0.bytesUntilCut = nil }
      }
      var descriptors = [pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)]
      if !isBlackHole { descriptors += ([listener] + peers.keys).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) } }
      _ = Glibc.poll(&descriptors, nfds_t(descriptors.count), -1)
      for ready in descriptors where ready.revents != 0 {
        if ready.fd == wakeup.descriptor {
          wakeup.clear()
        } else if ready.fd == listener {
          let client = accept(listener, nil, nil)
          let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
          var address = loopback(target)
          let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
          }
          if code == 0 {
            peers[client] = server
            peers[server] = client
          } else {
            Glibc.close(client)
            Glibc.close(server)
          }
        } else if let peer = peers[ready.fd] {
          let count = read(ready.fd, &buffer, buffer.count)
          state.withLock { $0.bytesUntilCut? -= count }
          if count <= 0 || !forward(buffer[..<count], to: peer) {
            peers[ready.fd] = nil
            peers[peer] = nil
            Glibc.close(ready.fd)
            Glibc.close(peer)
          }
        }
      }
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
