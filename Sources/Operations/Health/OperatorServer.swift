import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix

/// Serves health and metrics to operators and orchestrators over HTTP/1.1. Orders do not come this way.
package struct OperatorServer: Sendable {
  private let health: HealthRegistry
  private let metrics: WorkerMetrics
  private let host: String
  private let port: Int
  private let log: Logger

  /// Port 0 takes any free one.
  package init(health: HealthRegistry, metrics: WorkerMetrics, host: String, port: Int, log: Logger) {
    self.health = health
    self.metrics = metrics
    self.host = host
    self.port = port
    self.log = log
  }

  /// Has all of SwiftNIO's shared loops be one: plenty for a few requests a second and a look for keys each minute, and each costs a stack and buffers.
  /// Once, before anything uses them.
  package static func limitThreads() { NIOSingletons.groupLoopCountSuggestion = 1 }

  /// Serves until the task is cancelled; throws where the address cannot be had. `onListening` gets the port.
  package func run(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    // The server logs its own cancellation as an error.
    var quiet = log
    quiet.logLevel = .critical
    let application = Application(
      responder: OperatorPages(health: health, metrics: metrics),
      configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: nil),
      onServerRunning: { [log, host] channel in
        let port = channel.localAddress?.port ?? 0
        log.info("health is served", metadata: [LogKey.host: "\(host)", LogKey.port: .stringConvertible(port)])
        await onListening(port)
      },
      // Not one of its own: what the server leaves to its loop when it ends would find that closed.
      eventLoopGroupProvider: .singleton,
      logger: quiet)
    do {
      try await application.run()
    } catch let error as IOError {
      throw AddressFault(description: String(cString: strerror(error.errnoCode)))
    }
  }
}

/// Why an address cannot be listened at, in the system's words.
struct AddressFault: Error, CustomStringConvertible {
  let description: String
}

/// What there is to read. HEAD asks for as much as GET, without the body; nothing else is to be done here.
private struct OperatorPages: HTTPResponder {
  typealias Context = BasicRequestContext

  let health: HealthRegistry
  let metrics: WorkerMetrics

  func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
    guard let page = page(request.uri.path, accept: request.headers[.accept]) else { return Response(status: .notFound) }
    switch request.method {
    case .get: return page()
    case .head: return page().createHeadResponse()
    default: return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
    }
  }

  private func page(_ path: String, accept: String?) -> (() -> Response)? {
    switch path {
    case "/health/live": { Self.answer(.ok, Array(#"{"status":"live"}"#.utf8) + [UInt8(ascii: "\n")]) }
    case "/health/ready":
      {
        let report = health.report
        return Self.answer(report.isReady ? .ok : .serviceUnavailable, report.json)
      }
    case "/metrics":
      {
        let format = MetricText.Format.suiting(accept: accept)
        return Self.answer(.ok, Array(metrics.text(format).utf8), as: format.mediaType)
      }
    default: nil
    }
  }

  private static func answer(_ status: HTTPResponse.Status, _ bytes: [UInt8], as type: String = "application/json") -> Response {
    Response(status: status, headers: [.contentType: type, .cacheControl: "no-store"], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
