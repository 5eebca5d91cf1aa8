import Domain

/// Records a span of each time that events go to the broker together, by the worker that committed them or by the relay.
package struct TracingEventPublisher: EventPublisher {
  private let next: any EventPublisher
  private let tracer: any Tracer
  private let exchange: String
  private let now: @Sendable () -> Timestamp

  package init(next: any EventPublisher, tracer: any Tracer, exchange: String, now: @escaping @Sendable () -> Timestamp) {
    self.next = next
    self.tracer = tracer
    self.exchange = exchange
    self.now = now
  }

  package func publish(_ events: [EncodedEvent]) async -> [Bool] {
    let begin = now()
    let confirmed = await next.publish(events)
    let links = events.compactMap(\.trace?.context)
    if let place = tracer.place(amidst: links) {
      tracer.record(.send(events.count, confirmed: confirmed.count { $0 }, exchange: exchange, place, links: links, begin: begin, end: now()))
    }
    return confirmed
  }
}
