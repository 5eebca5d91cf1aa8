import ClientRuntime
import FoundationEssentials
import Glibc
import RabbitMQClient

enum BenchError: Error {
  case usage
  case missing(String)
}

/// The load of workloads W and W2, for scripts/bench and scripts/hang. ORDERS_AMQP_URL and ORDERS_PREFIX say where, as they do for the worker;
/// BENCH_TOKENS_FILE has the tokens that the commands show, a line each.
func run(_ arguments: [String]) async throws {
  let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
  guard let url = environment("ORDERS_AMQP_URL"), let verb = arguments.first else { throw BenchError.usage }
  let topology = BenchTopology(
    configuration: try ConnectionConfiguration(url: url, name: "order-bench"), prefix: environment("ORDERS_PREFIX") ?? "orders",
    tokens: try environment("BENCH_TOKENS_FILE").map { try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n").map(String.init) } ?? [])
  let numbers = arguments.dropFirst().compactMap { Int($0) }

  switch (verb, numbers.count) {
  case ("fill", 1): try await fill(topology, count: numbers[0])
  case ("drained", 1): try await drained(topology, count: UInt32(numbers[0]))
  case ("left", 0): print(try await topology.messages(in: topology.commands))
  case ("clean", 0): try await topology.clean()
  case ("latency", 2):
    try await topology.prepare()
    try await Latency(topology: topology, rate: numbers[0], seconds: numbers[1]).run()
  case ("flood", 2): try await Flood(topology: topology, depth: UInt32(numbers[0]), confirms: numbers[1]).run()
  case ("life", 2): try await Life(topology: topology, orders: numbers[0], inFlight: numbers[1]).measure()
  default: throw BenchError.usage
  }
}

/// Publishes the commands and returns when the broker has confirmed them all.
func fill(_ topology: BenchTopology, count: Int) async throws {
  try await topology.prepare()
  let publisher = Publisher(configuration: topology.configuration)
  var workload = Workload(topology: topology)
  for start in stride(from: 0, to: count, by: 500) {
    let batch = (start..<min(start + 500, count)).map { _ in workload.next() }
    let outcomes = await publisher.publish(batch, deadline: .after(.seconds(60)))
    if let failure = outcomes.first(where: { $0 != .confirmed }) { throw BenchError.missing("a command was not confirmed: \(failure)") }
  }
  await publisher.close()
  _ = try await topology.messages(in: topology.commands, by: .after(.seconds(30))) { $0 >= count }
}

/// Prints the wall clock, in microseconds, at which the last event was there, and returns when no command is left to be taken.
func drained(_ topology: BenchTopology, count: UInt32) async throws {
  let events = try await topology.messages(in: topology.events, by: .after(.seconds(600))) { $0 >= count }
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  guard events == count else { throw BenchError.missing("\(events) of \(count) events came") }
  _ = try await topology.messages(in: topology.commands, by: .after(.seconds(30))) { $0 == 0 }
  print(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
}

func complain(_ sentence: String, code: Int32) -> Never {
  let line = Array("\(sentence)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(code)
}

do {
  try await run(Array(CommandLine.arguments.dropFirst()))
} catch BenchError.usage {
  complain("usage: order-bench fill N | drained N | left | clean | latency RATE SECONDS | life ORDERS IN_FLIGHT | flood DEPTH CONFIRMS", code: 64)
} catch {
  complain("order-bench: \(error)", code: 1)
}
