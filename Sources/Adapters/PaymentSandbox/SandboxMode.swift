/// How the sandbox treats every call, whatever its payment method.
enum SandboxMode: String, Codable, Sendable, CaseIterable {
  case ok
  /// 503, without an effect.
  case unavailable
  /// Nothing is done or answered until it ends; then what still waits is.
  case hang
  /// The effect happens, and the answer is 500.
  case error
  /// The effect happens, and the connection is cut.
  case reset
  /// The answer takes 5 s.
  case slow
}
