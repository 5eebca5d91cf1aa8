import ClientRuntime
import Glibc
import RabbitMQClient
import Synchronization

/// Publishes at a fixed rate, whatever the worker does (an open loop), and takes the time from when each command was due to its event.
struct Latency {
  let topology: BenchTopology
  let rate: Int
  let seconds: Int
  /// Not counted, at the start.
  let warmUp = 3

  func run() async throws {
    let total = rate * (seconds + warmUp)
    let due = Mutex<[String: ContinuousClock.Instant]>([:])
    let publisher = Publisher(configuration: topology.configuration)
    let consumer = Consumer(configuration: topology.configuration, subscription: .queue(topology.events), prefetch: 1_000)
    async let collected = collect(total, consumer: consumer, due: { id in due.withLock { $0.removeValue(forKey: id) } })

    var workload = Workload(topology: topology)
    let start = ContinuousClock.now + .seconds(2)
    for number in 0..<total {
      let time = start + .seconds(1) * number / rate
      let publication = workload.next()
      due.withLock { $0[publication.properties.messageID!] = time }
      sleep(until: time)
      Task { await publisher.publish([publication], deadline: .after(.seconds(10))) }
    }
    let times = await collected.sorted()
    await publisher.close()
    guard times.count == rate * seconds else { throw BenchError.missing("\(times.count) of \(rate * seconds) events came") }
    func quantile(_ q: Double) -> String { "\(Double(Int(times[Int(q * Double(times.count - 1))] * 100)) / 100) ms" }
    print("latency at \(rate)/s over \(seconds) s: p50 \(quantile(0.5)), p95 \(quantile(0.95)), p99 \(quantile(0.99)), max \(quantile(1))")
  }

  /// Task.sleep would be late by a millisecond or more. It holds a thread of the pool, which nothing else here needs.
  private func sleep(until time: ContinuousClock.Instant) {
    let (seconds, attoseconds) = Deadline(time).remaining.components
    var wait = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    nanosleep(&wait, nil)
  }

  /// Milliseconds of each event after the warm-up.
  private func collect(_ total: Int, consumer: Consumer, due: @escaping @Sendable (String) -> ContinuousClock.Instant?) async -> [Double] {
    let collecting = Task {
      var times: [Double] = []
      var seen = 0
      while seen < total, case .deliveries(let deliveries) = await consumer.next(max: 1_000) {
        let now = ContinuousClock.now
        for delivery in deliveries {
          guard let id = causation(delivery.body), let time = due(id) else { continue }
          seen += 1
          if seen > rate * warmUp { times.append((now - time) / .milliseconds(1)) }
        }
        if let last = deliveries.last { consumer.settle([.ack(tag: last.tag, multiple: true)], generation: last.generation) }
      }
      return times
    }
    let giveUp = Task {
      try await Task.sleep(for: .seconds(seconds + warmUp + 30))
      await consumer.stopTaking()
    }
    let times = await collecting.value
    giveUp.cancel()
    await consumer.close()
    return times
  }

  /// The command's id, by a search: parsing the whole event would delay the next one.
  private func causation(_ body: [UInt8]) -> String? {
    let text = String(decoding: body, as: UTF8.self)
    guard let key = text.firstRange(of: #""causationid":""#) else { return nil }
    return String(text[key.upperBound...].prefix { $0 != "\"" })
  }
}
