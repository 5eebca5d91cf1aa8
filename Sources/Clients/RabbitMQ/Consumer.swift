import ClientRuntime

/// What a consumer reads.
public enum Subscription: Sendable {
  /// A queue that must exist.
  case queue(String)
  /// A queue of this connection's own, gone with it; an empty name lets the server choose one.
  case exclusive(name: String, bindings: [(exchange: String, routingKey: String)] = [])
}

public enum ConsumerEvent: Sendable {
  case deliveries([Delivery])
  /// The channel is gone: the generation's deliveries come again, and its tags mean nothing any more.
  case lost(generation: UInt64)
  case stopped
}

public enum Settlement: Sendable, Equatable {
  case ack(tag: UInt64, multiple: Bool)
  case nack(tag: UInt64, requeue: Bool, multiple: Bool)
}

/// Deliveries of one subscription, over one connection and channel on a thread of its own, which connects again by itself for ever.
public final class Consumer: Sendable {
  enum Request: Sendable {
    case settle([Settlement], generation: UInt64)
    case stopTaking(CheckedContinuation<Void, Never>)
    case flush(CheckedContinuation<Void, Never>)
  }

  private let inbox = DeliveryInbox()
  private let requests = Mailbox<Request>(capacity: .max)
  private let status: ConnectionStatus
  private let thread: DedicatedThread

  /// `onState` is called on the consumer's thread and must return soon.
  public init(
    configuration: ConnectionConfiguration, subscription: Subscription, prefetch: UInt16, limits: HeaderLimits = HeaderLimits(),
    onState: @escaping @Sendable (ConnectionState) -> Void = { _ in }
  ) {
    let status = ConnectionStatus(onChange: onState)
    let (inbox, requests) = (inbox, requests)
    self.status = status
    let named = SharedName()
    queue = named
    thread = DedicatedThread(name: "amqp-consume") {
      ConsumerLoop(
        configuration: configuration, subscription: subscription, prefetch: prefetch, limits: limits, inbox: inbox, requests: requests, status: status,
        name: named
      ).run()
    }
  }

  deinit { requests.close() }

  private let queue: SharedName
  public var state: ConnectionState { status.current }
  /// The queue's name, once the server has chosen one.
  public var queueName: String? { queue.value.withLock { $0 } }

  /// Deliveries that have arrived and were not taken yet.
  public var waiting: Int { inbox.count }

  /// Whatever has arrived, 1 to `max` messages; waits only while there is nothing. One caller at a time.
  public func next(max: Int) async -> ConsumerEvent { await inbox.next(max: max) }

  /// Goes out in order, without waiting; void where the generation is over.
  public func settle(_ settlements: [Settlement], generation: UInt64) {
    try? requests.post(.settle(settlements, generation: generation), deadline: .never)
  }

  /// Takes no more from the queue. What is here already can still be read and settled; after it, `next` answers `stopped`.
  public func stopTaking() async {
    await answered { .stopTaking($0) }
    inbox.stop()
  }

  /// Returns when the broker has processed everything that was settled so far, or the connection is gone.
  public func flush() async {
    if state.isConnected { await answered { .flush($0) } }
  }

  private func answered(_ request: (CheckedContinuation<Void, Never>) -> Request) async {
    await withCheckedContinuation { continuation in
      if (try? requests.post(request(continuation), deadline: .never)) == nil { continuation.resume() }
    }
  }

  /// Ends: what is not settled goes back to the queue.
  public func close() async {
    requests.close()
    inbox.close()
    await thread.join()
  }
}

/// A name that a thread sets and others read.
final class SharedName: Sendable {
  let value = Locked<String?>(nil)
}

extension Deadline {
  /// Of requests that wait for as long as their client lives.
  static let never = Deadline(.now + .seconds(100 * 365 * 86_400))
}
