/// Waits until `condition` holds; false where it does not within `limit`, or when the test's own time is over.
package func eventually(
  within limit: Duration = .seconds(20), isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end && !Task.isCancelled {
    if try await condition() { return true }
    try? await Task.sleep(for: .milliseconds(2))
  }
  return try await condition()
}
