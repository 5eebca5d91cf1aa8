/// Where a worker has a pipeline for its own commands only.
package final class IdleCommandSource: CommandSource {
  private let stopped = Handover<Void>(capacity: 1)

  package init() {}

  package func next(max: Int) async -> SourceEvent {
    _ = await stopped.next()
    return .stopped
  }

  package func settle(_ settlements: [Settlement], generation: UInt64) {}
  package func stopTaking() async { stopped.finish() }
}
