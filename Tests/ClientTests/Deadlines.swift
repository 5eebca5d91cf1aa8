import ClientRuntime

extension Deadline {
  /// Far enough for anything that is going to happen on a busy machine.
  static var soon: Deadline { .after(.seconds(30)) }
}

/// What the body returns, and how long it took.
func timed<R>(_ body: () async throws -> R) async rethrows -> (R, Duration) {
  let start = ContinuousClock.now
  let result = try await body()
  return (result, ContinuousClock.now - start)
}
