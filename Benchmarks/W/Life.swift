import ClientRuntime
import RabbitMQClient

/// Workload W2, the life of an order: create, confirm, process, ship, deliver. A closed loop: so many orders are in flight, and each one's next
/// command goes when the reply to the one before has come.
struct Life {
  private static let statuses = ["confirmed", "processing", "shipped", "delivered"]
  let topology: BenchTopology
  let orders: Int
  let inFlight: Int
  private let run = String(UInt64.random(in: 0...UInt64.max), radix: 16)

  init(topology: BenchTopology, orders: Int, inFlight: Int) {
    self.topology = topology
    self.orders = orders
    self.inFlight = inFlight
  }

  func measure() async throws {
    let replyQueue = "reply.bench-\(run)"
    let publisher = Publisher(configuration: topology.configuration)
    let replies = Consumer(configuration: topology.configuration, subscription: .exclusive(name: replyQueue), prefetch: 2_000)
    while !replies.state.isConnected { try await Task.sleep(for: .milliseconds(5)) }
    // A command that is lost somewhere must not leave this waiting for ever.
    let giveUp = Task {
      try await Task.sleep(for: .seconds(600))
      await replies.stopTaking()
    }
    var workload = Workload(topology: topology, run: run)
    var sentAt: [String: ContinuousClock.Instant] = [:]
    var times: [Double] = []
    var begun = min(inFlight, orders)
    var delivered = 0
    let start = ContinuousClock.now
    send((0..<begun).map { workload.create(order: $0, replyTo: replyQueue) }, publisher, &sentAt)
    while delivered < orders {
      guard case .deliveries(let some) = await replies.next(max: 1_000) else { throw BenchError.missing("\(delivered) of \(orders) orders were delivered") }
      let now = ContinuousClock.now
      var next: [Publication] = []
      for reply in some {
        guard let id = reply.properties.correlationID, let (order, step) = workload.place(of: id), let sent = sentAt.removeValue(forKey: id) else { continue }
        guard String(decoding: reply.body, as: UTF8.self).contains(#""outcome":"accepted""#) else {
          throw BenchError.missing("\(id): \(String(decoding: reply.body, as: UTF8.self))")
        }
        times.append((now - sent) / .milliseconds(1))
        if step < Self.statuses.count {
          next.append(workload.update(order: order, step: step + 1, to: Self.statuses[step], replyTo: replyQueue))
          continue
        }
        delivered += 1
        if begun < orders {
          next.append(workload.create(order: begun, replyTo: replyQueue))
          begun += 1
        }
      }
      replies.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
      send(next, publisher, &sentAt)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    giveUp.cancel()
    await publisher.close()
    await replies.close()
    times.sort()
    let quantile = { (q: Double) in Int(times[Int(q * Double(times.count - 1))] * 10) }
    print("\(Int(Double(orders) / seconds)) \(Int(Double(times.count) / seconds)) \(tenths(quantile(0.5))) \(tenths(quantile(0.99)))")
  }

  private func send(_ commands: [Publication], _ publisher: Publisher, _ sentAt: inout [String: ContinuousClock.Instant]) {
    if commands.isEmpty { return }
    let now = ContinuousClock.now
    for command in commands { sentAt[command.properties.messageID!] = now }
    // Nobody waits for the confirm: the reply says more.
    Task { await publisher.publish(commands, deadline: .after(.seconds(60))) }
  }

  private func tenths(_ number: Int) -> String { "\(number / 10).\(number % 10)" }
}
