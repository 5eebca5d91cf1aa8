import ClientRuntime
import RabbitMQClient

/// Keeps the queue of commands full of creates without payment, and beside them sends so many creates with `confirm` a second, until it is killed.
struct Flood {
  private static let batch = 500
  let topology: BenchTopology
  /// Commands that are ready in the queue at least, so that the worker never waits for one.
  let depth: UInt32
  let confirms: Int

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await fill() }
      group.addTask { try await confirm() }
      try await group.next()
    }
  }

  private func fill() async throws {
    let publisher = Publisher(configuration: topology.configuration)
    var workload = Workload(topology: topology)
    while true {
      let found = try await topology.messages(in: topology.commands, by: .after(.seconds(60))) { [depth] in $0 < depth }
      guard found < depth else { throw BenchError.missing("the worker took nothing for a minute") }
      for _ in 0..<4 { try await publish((0..<Self.batch).map { _ in workload.next() }, publisher) }
    }
  }

  /// At a fixed rate, whatever the worker does.
  private func confirm() async throws {
    let publisher = Publisher(configuration: topology.configuration)
    var workload = Workload(topology: topology)
    let start = ContinuousClock.now
    for number in 0... {
      try await Task.sleep(until: start + .seconds(1) * number / confirms)
      try await publish([workload.confirmed(number)], publisher)
    }
  }

  private func publish(_ commands: [Publication], _ publisher: Publisher) async throws {
    let outcomes = await publisher.publish(commands, deadline: .after(.seconds(60)))
    if let failure = outcomes.first(where: { $0 != .confirmed }) { throw BenchError.missing("a command was not confirmed: \(failure)") }
  }
}
