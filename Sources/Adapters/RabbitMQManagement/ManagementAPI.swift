import AsyncHTTPClient
import ClientRuntime
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Asks RabbitMQ's management API; changes nothing.
package struct ManagementAPI: Sendable {
  /// Why nothing came of a question, in a sentence without user and password.
  package enum Fault: Error, Sendable, Equatable {
    case unreachable(String)
    /// The user is unknown, or has not the tag that this takes.
    case refused
    case status(UInt)
    case notUnderstood
    /// More than this reads.
    case tooLarge
  }

  private static let largestAnswer = 4 << 20

  private let base: String
  private let authorization: String?
  private let client: HTTPClient
  /// Where it is, without user and password.
  package let place: String

  /// - Parameter url: `http://user:password@host:port`, percent-encoded where it must be. Nil where it is none.
  package init?(url: String) {
    guard var parts = URLComponents(string: url), let host = parts.host else { return nil }
    authorization = parts.user.map { "Basic " + Data("\($0):\(parts.password ?? "")".utf8).base64EncodedString() }
    parts.user = nil
    parts.password = nil
    parts.query = nil
    parts.fragment = nil
    guard var base = parts.string else { return nil }
    while base.hasSuffix("/") { base.removeLast() }
    self.base = base
    place = "\(host):\(parts.port ?? (parts.scheme == "https" ? 443 : 80))"
    var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
    settings.timeout.connect = .seconds(3)
    // The deadline of a request ends with the answer's head; a body that stalls is this one's.
    settings.timeout.read = .seconds(5)
    settings.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
  }

  package func close() async { try? await client.shutdown() }

  func get<Answer: Decodable>(_ path: String, deadline: Deadline) async throws(Fault) -> Answer {
    try await exchange(path, deadline: deadline).answer
  }

  /// The answer, and the clock of the node that gave it.
  func exchange<Answer: Decodable>(_ path: String, deadline: Deadline) async throws(Fault) -> (answer: Answer, clock: ClockReading?) {
    var request = HTTPClientRequest(url: base + "/api/" + path)
    request.headers = ["accept": "application/json"]
    if let authorization { request.headers.add(name: "authorization", value: authorization) }
    let (status, date, body, before): (HTTPResponseStatus, String?, ByteBuffer, Duration)
    do {
      before = ClockReading.wallClock
      let response = try await client.execute(request, deadline: .now() + TimeAmount(deadline.remaining))
      (status, date) = (response.status, response.headers.first(name: "date"))
      body = try await response.body.collect(upTo: Self.largestAnswer)
    } catch is NIOTooManyBytesError {
      throw .tooLarge
    } catch {
      throw .unreachable("\(error)")
    }
    switch status {
    case .ok: break
    case .unauthorized, .forbidden: throw .refused
    default: throw .status(status.code)
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)) else { throw .notUnderstood }
    let server = date.flatMap(HTTPDate.seconds)
    return (answer, server.map { ClockReading(server: .seconds($0), before: before, after: ClockReading.wallClock, resolution: .seconds(1)) })
  }

  /// A part of a path.
  static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
      let digits = String(byte, radix: 16, uppercase: true)
      return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
    }.joined()
  }
}
