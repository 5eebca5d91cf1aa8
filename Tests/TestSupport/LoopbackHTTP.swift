import ClientRuntime
import Foundation
import Glibc

/// Asks a server of 127.0.0.1 over HTTP, a connection for each request. The server must say how long its answer is, or end it by closing.
package struct LoopbackHTTP: Sendable {
  package struct Answer: Sendable {
    package let status: Int
    package let body: [UInt8]
    package var text: String { String(decoding: body, as: UTF8.self) }
  }

  private let port: UInt16

  package init(port: UInt16) { self.port = port }

  package func get(_ path: String) async -> Answer? { await ask("GET", path) }

  package func post(_ path: String, json: String) async -> Answer? { await ask("POST", path, headers: ["Content-Type: application/json"], body: json) }

  /// Nil where nothing answers.
  package func ask(_ method: String, _ path: String, headers: [String] = [], body: String = "") async -> Answer? {
    let head = ["\(method) \(path) HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
    return await exchange((head + ["", body]).joined(separator: "\r\n"))
  }

  /// On a thread of its own, for it blocks.
  private func exchange(_ request: String) async -> Answer? {
    await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "http", stackSize: 256 << 10) { [port] in continuation.resume(returning: Self.exchange(request, port)) }
    }
  }

  private static func exchange(_ request: String, _ port: UInt16) -> Answer? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = loopback(port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    let bytes = Array(request.utf8)
    guard code == 0, send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return nil }
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { break }
      answer += chunk[..<count]
    }
    guard let end = Data(answer).range(of: Data("\r\n\r\n".utf8)) else { return nil }
    let words = String(decoding: answer[..<end.lowerBound], as: UTF8.self).split(separator: " ", maxSplits: 2)
    guard words.count > 1, let status = Int(words[1]) else { return nil }
    return Answer(status: status, body: Array(answer[end.upperBound...]))
  }
}
