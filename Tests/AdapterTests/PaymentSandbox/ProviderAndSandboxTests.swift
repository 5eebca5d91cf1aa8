import Application
import Domain
import HTTPPaymentAdapter
import TestSupport
import Testing

@testable import PaymentSandbox

/// The adapter and the sandbox at the two ends of real connections.
@Suite struct ProviderAndSandboxTests {
  private static func with<T: Sendable>(
    timeout: Duration = .seconds(20), _ body: (HTTPPaymentProvider, PaymentSandboxServer) async throws -> T
  ) async throws -> T {
    let sandbox = try await PaymentSandboxServer.start(host: "127.0.0.1", port: 0)
    let result: Result<T, any Error>
    do {
      result = .success(try await ProviderFixture.with("http://127.0.0.1:\(sandbox.port)", timeout: timeout) { try await body($0, sandbox) })
    } catch { result = .failure(error) }
    await sandbox.stop()
    return try result.get()
  }

  @Test(arguments: [
    ("pm_ok", "known succeeded", "known succeeded"), ("pm_declined", "known declined card_declined", "known declined card_declined"),
    ("pm_declined_funds", "known declined insufficient_funds", "known declined insufficient_funds"),
    ("pm_unavailable", "no effect 1.0 seconds", "no effect 1.0 seconds"), ("pm_timeout", "unknown", "known succeeded"),
    ("pm_reset", "unknown", "known succeeded"), ("pm_error", "unknown", "known succeeded"),
  ])
  func eachPaymentMethodEndsAsItShould(method: String, first: String, again: String) async throws {
    try await Self.with(timeout: method == "pm_timeout" ? .milliseconds(500) : .seconds(20)) { provider, _ in
      #expect(await provider.perform(ProviderFixture.authorize(method)).kind == first)
      #expect(await provider.perform(ProviderFixture.authorize(method), isRepeat: true).kind == again)
    }
  }

  @Test func aSlowAnswerComesInTheEndToWhoeverAsks() async throws {
    try await Self.with(timeout: .seconds(1)) { provider, _ in
      let begin = ContinuousClock.now
      #expect(await provider.perform(ProviderFixture.authorize("pm_slow")).kind == "unknown")
      #expect(await eventually(within: .seconds(30)) { await provider.perform(ProviderFixture.authorize("pm_slow"), isRepeat: true).authorization != nil })
      #expect(.now - begin > .seconds(4))
    }
  }

  @Test func anAuthorisationIsCapturedOnceAndThenNeitherVoidedNorCaptured() async throws {
    try await Self.with { provider, _ in
      let id = try #require(await provider.perform(ProviderFixture.authorize()).authorization)
      #expect(await provider.perform(ProviderFixture.capture(id, key: "k/2")) == .known(.succeeded(id)))
      #expect(await provider.perform(ProviderFixture.capture(id, key: "k/2")) == .known(.succeeded(id)))
      #expect(await provider.perform(ProviderFixture.capture(id, key: "k/3")).kind == "known conflict")
      #expect(await provider.perform(ProviderFixture.void(id, key: "k/4")).kind == "known conflict")
      let other = try #require(await provider.perform(ProviderFixture.authorize("pm_capture_declined", key: "k/5")).authorization)
      #expect(await provider.perform(ProviderFixture.capture(other, key: "k/6")).kind == "known declined card_declined")
      #expect(await provider.perform(ProviderFixture.void(other, key: "k/7")) == .known(.succeeded(other)))
      #expect(await provider.perform(ProviderFixture.authorize("pm_other", key: "k/7")).kind == "no effect -")
      #expect(await provider.perform(ProviderFixture.void(AuthorizationID("nobody/é")!, key: "k/8")).kind == "no effect -")
    }
  }

  @Test(arguments: ["pm_ok", "pm_reset", "pm_error"])
  func oneKeyAskedByManyAtOnceTakesEffectOnce(method: String) async throws {
    try await Self.with { provider, _ in
      let ids = await withTaskGroup(of: AuthorizationID?.self) { group in
        for _ in 0..<50 {
          group.addTask {
            let first = await provider.perform(ProviderFixture.authorize(method)).authorization
            if let first { return first }
            return await provider.perform(ProviderFixture.authorize(method), isRepeat: true).authorization
          }
        }
        return await group.reduce(into: [AuthorizationID?]()) { $0.append($1) }
      }
      #expect(ids.count == 50)
      #expect(Set(ids).count == 1 && ids.first != .some(nil))
    }
  }

  @Test func manyOrdersAtOnceEachGetTheirOwn() async throws {
    try await Self.with { provider, _ in
      let ids = await withTaskGroup(of: AuthorizationID?.self) { group in
        for number in 0..<500 {
          if number >= 64 { _ = await group.next() }
          group.addTask { await provider.perform(ProviderFixture.authorize(key: "default/o/\(number)", order: "o-\(number)")).authorization }
        }
        return await group.reduce(into: Set<AuthorizationID?>()) { $0.insert($1) }
      }
      #expect(ids.count == 64 && !ids.contains(nil))
    }
  }

  @Test func whatHangsIsDoneOnceItEnds() async throws {
    let sandbox = try await PaymentSandboxServer.start(host: "127.0.0.1", port: 0)
    let desk = sandbox.desk
    func mode(_ text: String) { _ = desk.handle(SandboxRequest(method: "POST", target: "/sandbox/mode", key: nil, body: Array(text.utf8))) }
    let kind = try await ProviderFixture.with("http://127.0.0.1:\(sandbox.port)") { provider in
      mode(#"{"mode":"hang"}"#)
      let call = Task { await provider.perform(ProviderFixture.authorize()).kind }
      try await Task.sleep(for: .milliseconds(100))
      mode(#"{"mode":"ok"}"#)
      return await call.value
    }
    #expect(kind == "known succeeded")
    await sandbox.stop()
  }

  @Test func aPortThatIsTakenIsAFault() async throws {
    let sandbox = try await PaymentSandboxServer.start(host: "127.0.0.1", port: 0)
    await #expect(throws: SandboxFault.self) { _ = try await PaymentSandboxServer.start(host: "127.0.0.1", port: sandbox.port) }
    await sandbox.stop()
  }
}
