import ClientRuntime
import Domain
import Operations
import RabbitMQClient

/// Publishes one body, once or many times, and collects the replies where asked.
struct CommandSender: Sendable {
  let connection: ConnectionConfiguration
  let exchange: String
  let type: String
  let body: [UInt8]
  /// The one message's id; nil where each gets a new one.
  let id: String?
  let timeout: Duration
  /// The header of that name; nil: none.
  let authorization: String?

  /// As many as are published in one go where no rate is given.
  private static let chunk = 500

  func send(count: Int, rate: Double?) async throws {
    let start = ContinuousClock.now
    try await publish(count: count, rate: rate, replyTo: nil)
    if count > 1 { Console.print(summary("\(count) messages sent", since: start, count: count)) }
    guard let id else { return }
    var json = JSONText()
    json.object { $0.member("message_id", id) }
    Console.print(utf8: json.bytes)
  }

  func sendAndWait(count: Int, rate: Double?) async throws {
    let queue = ReplyQueue(connection, prefetch: 1_000)
    let replies = queue.consumer
    let start = ContinuousClock.now
    let result: Result<ReplyTally, any Error>
    do {
      let name = try await queue.untilReady(within: timeout)
      async let published: Void = publish(count: count, rate: rate, replyTo: name)
      async let tally = collect(count, from: replies, quietFor: timeout)
      do {
        try await published
      } catch {
        await replies.stopTaking()
        throw error
      }
      result = .success(await tally)
    } catch {
      result = .failure(error)
    }
    await replies.close()
    let tally = try result.get()
    if count > 1 { Console.complain(summary(tally.description, since: start, count: count)) }
    if tally.missing > 0 {
      throw CommandFailure("no reply to \(tally.missing) of \(count) messages within \(DurationText.format(timeout)): is a worker running?")
    }
    if tally.accepted < count { throw CommandFailure("\(count - tally.accepted) of \(count) messages were not accepted") }
  }

  // MARK: replies

  struct ReplyTally: CustomStringConvertible {
    var outcomes: [String: Int] = [:]
    var accepted = 0
    var missing: Int

    var description: String {
      let parts = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" } + (missing > 0 ? ["\(missing) without a reply"] : [])
      return parts.joined(separator: ", ")
    }
  }

  /// Prints each reply as it comes; ends when all are there, or when none came for `limit`.
  private func collect(_ count: Int, from replies: Consumer, quietFor limit: Duration) async -> ReplyTally {
    var tally = ReplyTally(missing: count)
    while tally.missing > 0 {
      let alarm = Task {
        try await Task.sleep(for: limit)
        await replies.stopTaking()
      }
      defer { alarm.cancel() }
      switch await replies.next(max: 100) {
      case .deliveries(let deliveries):
        for delivery in deliveries {
          Console.print(utf8: delivery.body)
          let reply = CommandReply(delivery.body)
          tally.outcomes[reply?.outcome ?? "unreadable", default: 0] += 1
          if reply?.isAccepted == true { tally.accepted += 1 }
          tally.missing -= 1
        }
        if let last = deliveries.last { replies.settle([.ack(tag: last.tag, multiple: true)], generation: last.generation) }
      case .lost:
        Console.complain("the connection was lost, and with it the replies that were under way")
        return tally
      case .stopped: return tally
      }
    }
    return tally
  }

  // MARK: publishing

  private func publish(count: Int, rate: Double?, replyTo: String?) async throws {
    let publisher = Publisher(configuration: connection)
    let result: Result<Void, any Error>
    do {
      var sent = 0
      let start = ContinuousClock.now
      while sent < count {
        var batch = min(Self.chunk, count - sent)
        if let rate {
          // What is due by now, and never less than one.
          let due = Int(min(Double(count), (ContinuousClock.now - start) / .seconds(1) * rate) + 1)
          batch = min(batch, max(1, due - sent))
          let at = start + .seconds(Double(sent) / rate)
          if at > .now { try await Task.sleep(until: at) }
        }
        let messages = (0..<batch).map { _ in publication(replyTo: replyTo) }
        for outcome in await publisher.publish(messages, deadline: .after(timeout)) where outcome != .confirmed {
          throw CommandFailure(sentence(outcome, after: sent, on: publisher.state))
        }
        sent += batch
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await publisher.close()
    try result.get()
  }

  private func publication(replyTo: String?) -> Publication {
    var random = SystemRandomNumberGenerator()
    let id = id ?? UUIDValue.random(using: &random).description
    var properties = MessageProperties()
    properties.contentType = "application/json"
    properties.type = type
    properties.messageID = id
    properties.correlationID = id
    properties.timestamp = UInt64(max(0, Timestamp.now.microseconds) / 1_000_000)
    properties.replyTo = replyTo
    properties.deliveryMode = 2
    if let authorization { properties.headers = [Header(name: "authorization", value: .string(authorization))] }
    return Publication(exchange: exchange, routingKey: type, mandatory: true, properties: properties, body: body)
  }

  private func sentence(_ outcome: PublishOutcome, after sent: Int, on connection: ConnectionState) -> String {
    let what =
      switch outcome {
      case .confirmed: "it was taken"
      case .returned: "no queue is bound to exchange \(exchange): run `order-worker setup`"
      case .nacked: "RabbitMQ refused the message: its queue is full, or has no leader just now"
      case .notSent(let reason): if case .disconnected(let cause) = connection { "RabbitMQ: \(cause)" } else { "it was not sent: \(reason)" }
      case .unknown(let reason) where reason.contains("no exchange"): "there is no exchange \(exchange): run `order-worker setup`"
      case .unknown(let reason): "whether it was taken is unknown: \(reason)"
      }
    return sent > 0 ? "\(what) (\(sent) before it were taken)" : what
  }

  private func summary(_ what: String, since start: ContinuousClock.Instant, count: Int) -> String {
    let seconds = max((ContinuousClock.now - start) / .seconds(1), 0.001)
    return "\(what) in \(Int(seconds * 1_000)) ms, \(Int(Double(count) / seconds)) a second"
  }
}
