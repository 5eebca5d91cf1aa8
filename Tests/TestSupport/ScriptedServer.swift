import ClientRuntime
import Glibc

/// The other end of an HTTP connection, which does what a real one does only when it is in trouble.
package final class ScriptedServer: Sendable {
  package enum Step: Sendable {
    /// Reads one whole request.
    case read
    case send(String)
    case wait(Duration)
    /// Sends a byte again and again, this far apart.
    case trickle(Duration)
    case reset
  }

  package let port: UInt16
  private let listener: Int32
  private let scripts: [[Step]]
  private let state = Locked((connections: 0, requests: [String](), isClosed: false))

  /// A script for each connection, the last one for all that follow; the connection is closed at a script's end.
  package init(_ scripts: [[Step]]) {
    self.scripts = scripts
    (listener, port) = listenOnLoopback()
    _ = DedicatedThread(name: "scripted", stackSize: 256 << 10) { [self] in
      signal(SIGPIPE, SIG_IGN)
      // Closed here, and not while `accept` may be about to be called: another test's socket could have the number by then.
      defer { close(listener) }
      while !state.withLock({ $0.isClosed }) {
        let descriptor = accept(listener, nil, nil)
        if descriptor < 0 { return }
        let number = state.withLock { state in
          state.connections += 1
          return state.connections
        }
        _ = DedicatedThread(name: "scripted-peer", stackSize: 256 << 10) { [self] in
          play(scripts[min(number, scripts.count) - 1], on: descriptor)
          close(descriptor)
        }
      }
    }
  }

  package convenience init(_ steps: Step...) { self.init([steps]) }

  package var requests: [String] { state.withLock { $0.requests } }
  package var connections: Int { state.withLock { $0.connections } }

  package func stop() {
    state.withLock { $0.isClosed = true }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func play(_ steps: [Step], on descriptor: Int32) {
    for step in steps {
      switch step {
      case .read: guard read(descriptor) else { return }
      case .send(let text): guard send(text, descriptor) else { return }
      case .wait(let duration): usleep(UInt32(duration / .microseconds(1)))
      case .trickle(let apart):
        while send(" ", descriptor) { usleep(UInt32(apart / .microseconds(1))) }
      case .reset:
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
      }
    }
  }

  private func read(_ descriptor: Int32) -> Bool {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count <= 0 { return false }
      text += String(decoding: buffer[..<count], as: UTF8.self)
      guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
      let length = text.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
      guard text[end.upperBound...].utf8.count >= length else { continue }
      state.withLock { [text] in $0.requests.append(text) }
      return true
    }
  }

  private func send(_ text: String, _ descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
