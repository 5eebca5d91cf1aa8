import ClientRuntime
import Glibc
import TestSupport

/// The little of RabbitMQ's management API that the tests need.
struct ManagementAPI {
  private let port: UInt16

  init() throws {
    let url = Stack.require("STACK_RABBITMQ_MANAGEMENT_URL")
    port = UInt16(url.drop { $0 != "@" }.drop { $0 != ":" }.dropFirst().prefix { $0.isNumber })!
  }

  /// False where it does not know such a connection, which it may learn of some seconds late.
  func closeConnection(named name: String) async -> Bool {
    let list = await request("GET", "/api/connections?columns=name,client_properties.connection_name")
    for entry in list.split(separator: "{\"client_properties\"") where entry.contains("\"\(name)\"") {
      guard let start = entry.firstRange(of: "\"name\":\"") else { continue }
      let path = entry[start.upperBound...].prefix { $0 != "\"" }.replacing(" ", with: "%20").replacing(">", with: "%3E")
      return await request("DELETE", "/api/connections/\(path)").hasPrefix("HTTP/1.1 204")
    }
    return false
  }

  private func request(_ method: String, _ path: String) async -> String {
    await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "management", stackSize: 512 << 10) { continuation.resume(returning: answer(to: method, path)) }
    }
  }

  private func answer(to method: String, _ path: String) -> String {
    let descriptor = connectToLoopback(port)
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let text = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    _ = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { answer += buffer[..<count] }
    return String(decoding: answer, as: UTF8.self)
  }
}
