import Domain

/// A dead letter's whole key: the tenant leads, everywhere.
package struct DeadLetterKey: Hashable, Comparable, Sendable {
  package let tenant: TenantID
  package let id: UUIDValue

  package init(tenant: TenantID, id: UUIDValue) {
    self.tenant = tenant
    self.id = id
  }

  package static func < (a: Self, b: Self) -> Bool { a.tenant != b.tenant ? a.tenant < b.tenant : a.id < b.id }
}

package enum DeadLetterState: String, Sendable, CaseIterable {
  case parked, replaying, resolved, discarded
}

/// Something that happened to a dead letter, for people. A replay's failure is told by how it begins when it is ingested: that must stay.
package struct DeadLetterEvent: Sendable, Equatable {
  package let at: Timestamp
  package let what: String
  package let actor: String?

  package init(at: Timestamp, what: String, actor: String?) {
    self.at = at
    self.what = what
    self.actor = actor
  }

  /// How `what` begins where a message failed.
  package static func failure(isReplay: Bool) -> String { isReplay ? "failed again" : "failed" }
}

/// What a claim on a command's id says where the command was done: by it a dead letter is found to be settled.
package struct ClaimMark: Sendable, Equatable {
  package let subject: String
  package let fingerprint: Fingerprint

  package init(subject: String, fingerprint: Fingerprint) {
    self.subject = subject
    self.fingerprint = fingerprint
  }
}

/// A message that could not be done as it stood, kept so that it can be found, understood and replayed.
package struct DeadLetter: Sendable, Equatable {
  package let key: DeadLetterKey
  /// As it came; nil where it had none.
  package var messageID: String?
  package var type: String?
  package var order: OrderID?
  package var reason: DeadLetterReason
  package var error: String
  package var attempts: Int
  package var state: DeadLetterState
  /// Whole, or the first 4 KiB of one that is over 256 KiB.
  package var body: [UInt8]
  package var bodySize: Int
  /// Of the whole body.
  package var bodyHash: Fingerprint
  /// A JSON object: as they came, but for tokens and the worker's seal.
  package var headers: [UInt8]
  /// A JSON object of the properties that are no headers, with the exchange and routing key that it first came by.
  package var properties: [UInt8]
  /// Who sent it, where that was verified.
  package var principal: Principal?
  /// Whether that was by a token that was too old when a worker first saw it: it tells who sent it, and gives no rights.
  package var isTokenExpired: Bool
  /// Nil for a type that the worker does not know.
  package var command: CommandType?
  /// What its claim would say; nil without a sender or where its data cannot be found.
  package var mark: ClaimMark?
  package var history: [DeadLetterEvent]
  package var firstFailedAt: Timestamp
  package var failedAt: Timestamp

  package init(
    key: DeadLetterKey, messageID: String?, type: String?, order: OrderID?, reason: DeadLetterReason, error: String, attempts: Int,
    state: DeadLetterState = .parked, body: [UInt8], bodySize: Int, bodyHash: Fingerprint, headers: [UInt8], properties: [UInt8],
    principal: Principal?, isTokenExpired: Bool = false, command: CommandType?, mark: ClaimMark?, history: [DeadLetterEvent], firstFailedAt: Timestamp,
    failedAt: Timestamp
  ) {
    self.key = key
    self.messageID = messageID
    self.type = type
    self.order = order
    self.reason = reason
    self.error = error
    self.attempts = attempts
    self.state = state
    self.body = body
    self.bodySize = bodySize
    self.bodyHash = bodyHash
    self.headers = headers
    self.properties = properties
    self.principal = principal
    self.isTokenExpired = isTokenExpired
    self.command = command
    self.mark = mark
    self.history = history
    self.firstFailedAt = firstFailedAt
    self.failedAt = failedAt
  }

  /// The id that it is replayed under, and that its claim is made on.
  package var commandID: String { messageID ?? "dl-\(key.id)" }
  package var hasWholeBody: Bool { body.count == bodySize }

  /// What many errors of one kind have in common: every word with a digit in it is left open, but for PostgreSQL's code.
  package static func pattern(of error: String) -> String {
    var pattern = ""
    var word = ""
    var hasDigit = false
    func flush() {
      pattern += hasDigit && pattern != "ERROR " ? "…" : word
      word = ""
      hasDigit = false
    }
    for character in error.prefix(400) {
      if character.isLetter || character.isNumber || "_-.".contains(character) {
        word.append(character)
        hasDigit = hasDigit || character.isNumber
      } else {
        flush()
        pattern.append(character)
      }
    }
    flush()
    return String(pattern.prefix(200))
  }
}

/// A message of the dead-letter queue, read.
package struct DeadLetterArrival: Sendable, Equatable {
  package let letter: DeadLetter
  /// Whether the message itself says when it failed. Of one that does not, a second copy cannot be told from a second failure: it changes nothing.
  package let isDated: Bool
  package let correlationID: String?
  /// W3C `traceparent`, checked.
  package let traceparent: String?

  package init(letter: DeadLetter, isDated: Bool, correlationID: String? = nil, traceparent: String? = nil) {
    self.letter = letter
    self.isDated = isDated
    self.correlationID = correlationID
    self.traceparent = traceparent
  }
}

/// Reads dead letters off messages, and makes messages of them again.
package protocol DeadLetterCodec: Sendable {
  func read(_ received: ReceivedMessage, at now: Timestamp) -> DeadLetterArrival
  /// The message as it is published again: with its own id, under the authority of `principal`, sealed as the replay `mark` of its letter.
  func replay(_ letter: DeadLetter, body: [UInt8], under principal: Principal, mark: ReplayMark) -> ReplayMessage
}

/// A dead letter as it is published again.
package struct ReplayMessage: Sendable {
  package let message: Message
  /// What its command's claim will say.
  package let mark: ClaimMark?

  package init(message: Message, mark: ClaimMark?) {
    self.message = message
    self.mark = mark
  }
}
