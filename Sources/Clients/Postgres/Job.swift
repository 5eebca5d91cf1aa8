import ClientRuntime

/// A closure that waits for its turn on a client's thread, and the caller that waits for its result.
struct Job: Sendable {
  let deadline: Deadline
  /// Runs on the thread; what it returns tells how it went, and hands the result to the caller when called.
  let perform: @Sendable (PostgresSession) -> Outcome
  let fail: @Sendable (PostgresError) -> Void

  struct Outcome {
    let error: PostgresError?
    /// Called when the session is clean again; an error given takes the place of the result.
    let finish: (PostgresError?) -> Void
  }

  init<T: Sendable>(
    deadline: Deadline, _ continuation: CheckedContinuation<Result<T, PostgresError>, Never>,
    _ body: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T
  ) {
    self.deadline = deadline
    perform = { session in
      let result: Result<T, PostgresError>
      do throws(PostgresError) { result = .success(try body(session)) } catch { result = .failure(error) }
      switch result {
      case .success: return Outcome(error: nil) { continuation.resume(returning: $0.map(Result.failure) ?? result) }
      case .failure(let error): return Outcome(error: error) { _ in continuation.resume(returning: result) }
      }
    }
    fail = { continuation.resume(returning: .failure($0)) }
  }
}
