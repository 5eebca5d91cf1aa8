import Synchronization

/// Decides what each request gets, and how.
final class SandboxDesk: Sendable {
  static let slowness = Duration.seconds(5)

  private struct State: ~Copyable {
    var bank = SandboxBank()
    var file: LedgerFile?
    /// Before when an answer to a key does not go out.
    var due: [String: ContinuousClock.Instant] = [:]
    var mode = SandboxMode.ok
    var modeEnds: ContinuousClock.Instant?
  }

  private struct NewMode: Codable {
    let mode: SandboxMode
    let for_ms: Int64?
  }

  private let state: Mutex<State>

  /// Without a file the ledger ends with the process.
  init(file path: String?) throws(SandboxFault) {
    var bank = SandboxBank()
    var file: LedgerFile?
    if let path { file = try LedgerFile(path: path) { bank.restore($0) } }
    state = Mutex(State(bank: bank, file: file))
  }

  func handle(_ request: SandboxRequest) -> SandboxDelivery {
    let now = ContinuousClock.now
    return state.withLock { state in
      switch (request.method, request.path) {
      case ("GET", "/health/live"): return .now(SandboxAnswer(status: 200, body: Array("{\"status\":\"live\"}\n".utf8)))
      case ("GET", "/ledger"): return .now(SandboxAnswer(status: 200, body: state.bank.ledger(order: request.parameter("order_id"))))
      case ("GET", "/sandbox/mode"): return .now(Self.modeAnswer(state, now))
      case ("POST", "/sandbox/mode"): return .now(Self.setMode(&state, request.body, now))
      default: break
      }
      let mode = Self.mode(of: state, at: now)
      if mode == .hang { return .parked }
      if mode == .unavailable { return .now(.problem(503, "unavailable", "the provider is not available", retryAfter: 1)) }
      if request.method == "GET", let key = Self.operationKey(request.path) {
        return .now(state.bank.answer(toKey: key) ?? .problem(404, "unknown_key", "this key never came, or was refused without an effect"))
      }
      guard let operation = SandboxOperation(path: request.path) else { return .now(.problem(404, "no_such_path", "the sandbox has no such path")) }
      guard request.method == "POST" else { return .now(.problem(405, "method_not_allowed", "operations are POSTed")) }
      guard let key = request.key, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
        return .now(.problem(400, "invalid_key", "Idempotency-Key is needed, 1 to 255 ASCII characters"))
      }
      return Self.perform(&state, operation, key, request, mode, now)
    }
  }

  private static func perform(
    _ state: inout State, _ operation: SandboxOperation, _ key: String, _ request: SandboxRequest, _ mode: SandboxMode, _ now: ContinuousClock.Instant
  ) -> SandboxDelivery {
    let answer: SandboxAnswer
    var delivery: SandboxDelivery?
    switch state.bank.perform(operation, key: key, path: request.path, body: request.body) {
    case .answered(let known): answer = known
    case .done(let record, let method):
      state.file?.append(record)
      answer = record.reply
      guard operation == .authorize else { break }
      switch method {
      case "pm_timeout": delivery = .never
      case "pm_reset": delivery = .cut
      case "pm_error": delivery = .now(lostAnswer)
      case "pm_slow": state.due[key] = now + slowness
      default: break
      }
    }
    switch mode {
    case .error: return .now(lostAnswer)
    case .reset: return .cut
    case .slow: return .later(answer, at: now + slowness)
    case .ok, .unavailable, .hang: break
    }
    if let delivery { return delivery }
    guard let due = state.due[key] else { return .now(answer) }
    if due > now { return .later(answer, at: due) }
    state.due[key] = nil
    return .now(answer)
  }

  private static let lostAnswer = SandboxAnswer.problem(500, "internal_error", "something went wrong after the effect")

  /// A key may hold slashes, encoded or not.
  private static func operationKey(_ path: String) -> String? {
    let prefix = "/operations/"
    return path.hasPrefix(prefix) && path.count > prefix.count ? SandboxRequest.decode(path.dropFirst(prefix.count)) : nil
  }

  private static func mode(of state: borrowing State, at now: ContinuousClock.Instant) -> SandboxMode {
    if let ends = state.modeEnds, ends <= now { .ok } else { state.mode }
  }

  private static func modeAnswer(_ state: borrowing State, _ now: ContinuousClock.Instant) -> SandboxAnswer {
    let mode = mode(of: state, at: now)
    let left = mode == .ok ? nil : state.modeEnds.map { ($0 - now) / .milliseconds(1) }
    return .json(200, NewMode(mode: mode, for_ms: left.map { Int64($0) }))
  }

  private static func setMode(_ state: inout State, _ body: [UInt8], _ now: ContinuousClock.Instant) -> SandboxAnswer {
    guard let new = SandboxJSON.decode(NewMode.self, from: body), new.for_ms.map({ (1...86_400_000).contains($0) }) ?? true else {
      let modes = SandboxMode.allCases.map(\.rawValue).joined(separator: ", ")
      return .problem(400, "invalid_mode", "mode is one of \(modes); for_ms, where given, is 1 to 86400000")
    }
    state.mode = new.mode
    state.modeEnds = new.for_ms.map { now + .milliseconds($0) }
    return modeAnswer(state, now)
  }
}
