import ClientRuntime
import Foundation
import PostgresClient
import TestSupport
import Testing

/// What `doctor --json` said of a set-up.
struct Diagnosis: Decodable {
  struct Finding: Decodable, Hashable {
    let verdict: String
    let of: String
    let at: String?
    let check: String
    let found: String
    let mend: String?
  }

  struct Counts: Decodable {
    let problem: Int
    let warning: Int
    let not_checked: Int
    let ok: Int
  }

  let findings: [Finding]
  let counts: Counts

  /// Runs it with the world's settings and these over them. Whatever it finds, it says nothing on standard error.
  static func of(_ world: ServerWorld, _ settings: [String: String] = [:], arguments: [String] = []) async throws -> (diagnosis: Diagnosis, code: Int32) {
    let result = try await Program.run(["doctor", "--json"] + arguments, environment: world.environment.merging(settings) { $1 })
    #expect(result.errors == "")
    let diagnosis = try #require(try? JSONDecoder().decode(Diagnosis.self, from: Data(result.output.utf8)), "exit code \(result.code): \(result.output)")
    #expect(result.code == (diagnosis.counts.problem > 0 || arguments.contains("--strict") && diagnosis.counts.warning > 0 ? 1 : 0))
    return (diagnosis, result.code)
  }

  /// What was found of this, without what is well.
  func complaints(of part: String? = nil) -> [Finding] { findings.filter { $0.verdict != "ok" && (part == nil || $0.of == part) } }

  /// Fails unless there is such a finding, with a way to mend it that has these words.
  func expect(
    _ verdict: String, _ part: String, _ check: String, _ found: String, mend: String, at place: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isThere = findings.contains {
      $0.verdict == verdict && $0.of == part && $0.check == check && $0.found.contains(found) && $0.mend?.contains(mend) == true
        && (place == nil || $0.at == place)
    }
    let all = complaints().map { "\($0.verdict) \($0.of) \($0.at ?? "-") \($0.check): \($0.found) → \($0.mend ?? "-")" }
    #expect(isThere, "not among: \(all.joined(separator: "\n"))", sourceLocation: sourceLocation)
  }

  /// Fails where this was not looked at, or something was found.
  func expectWell(_ part: String, _ check: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let seen = findings.filter { $0.of == part && $0.check == check }
    #expect(!seen.isEmpty && seen.allSatisfy { $0.verdict == "ok" }, "\(seen)", sourceLocation: sourceLocation)
  }
}

extension PrivatePostgres {
  /// Fails where it does not answer in time; that it listens is not enough.
  func waitUntilItAnswers(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let client = PostgresClient(configuration: try PostgresConfiguration(url: url))
    let isThere = await client.waitUntilConnected(deadline: .after(.seconds(60)))
    await client.close()
    #expect(isThere, sourceLocation: sourceLocation)
  }
}

/// Lets a test break RabbitMQ as operators do.
struct BrokenBroker {
  static let guest = "Authorization: Basic Z3Vlc3Q6Z3Vlc3Q="
  static let url = Stack.require("STACK_RABBITMQ_MANAGEMENT_URL")
  private let http: LoopbackHTTP

  init() throws { http = LoopbackHTTP(port: UInt16(try #require(URL(string: Self.url)?.port))) }

  func put(_ path: String, _ json: String) async { await ask("PUT", path, json) }
  func post(_ path: String, _ json: String) async { await ask("POST", path, json) }
  func delete(_ path: String) async { await ask("DELETE", path, "") }

  private func ask(_ method: String, _ path: String, _ json: String) async {
    let headers = [Self.guest, "Content-Type: application/json"]
    let answer = await http.ask(method, "/api/" + path, headers: headers, body: json)
    #expect(answer.map { 200..<300 ~= $0.status } == true, "\(method) \(path): \(answer?.status ?? 0) \(answer?.text ?? "")")
  }

  /// Sets a policy for queues of a world while `body` runs.
  static func withPolicy(
    _ world: ServerWorld, queues pattern: String, _ definition: String, isOperators: Bool = false, _ body: () async throws -> Void
  ) async throws {
    let broker = try BrokenBroker()
    let path = "\(isOperators ? "operator-policies" : "policies")/%2F/\(world.prefix)"
    await broker.put(path, #"{"pattern":"^\#(world.prefix)\\.\#(pattern)","definition":\#(definition),"apply-to":"queues","priority":7}"#)
    do {
      try await body()
    } catch {
      await broker.delete(path)
      throw error
    }
    await broker.delete(path)
  }
}
