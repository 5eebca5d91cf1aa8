import Domain

/// A change of a dead letter's body.
package struct DeadLetterEdit: Sendable {
  /// What it does, without values.
  package let summary: String
  package let apply: @Sendable ([UInt8]) throws(DeadLetterReplay.Obstacle) -> [UInt8]

  package init(summary: String, apply: @escaping @Sendable ([UInt8]) throws(DeadLetterReplay.Obstacle) -> [UInt8]) {
    self.summary = summary
    self.apply = apply
  }
}

/// Sends dead letters back to the commands, each under the authority of who sent it first. Each is claimed before it is published, so that it goes once
/// however many replay it at the same time, and a replay that was interrupted goes on where it stopped.
package struct DeadLetterReplay: Sendable {
  package struct Ports: Sendable {
    package let store: any DeadLetterStore
    package let codec: any DeadLetterCodec
    package let forwarder: any MessageForwarder
    package let clock: any Clock<Duration>
    package let now: @Sendable () -> Timestamp

    package init(
      store: any DeadLetterStore, codec: any DeadLetterCodec, forwarder: any MessageForwarder, clock: any Clock<Duration> = ContinuousClock(),
      now: @escaping @Sendable () -> Timestamp
    ) {
      self.store = store
      self.codec = codec
      self.forwarder = forwarder
      self.clock = clock
      self.now = now
    }
  }

  package struct Settings: Sendable {
    /// Who replays, for history and audit.
    package var actor: String
    /// What is changed in each letter's body before it goes; nil: nothing.
    package var edit: DeadLetterEdit?
    /// Who a letter without a verified sender is replayed as; nil: it is not.
    package var standIn: Principal?
    /// Whether a letter whose token had only expired is replayed with the rights that it had.
    package var acceptsExpired = false
    package var pace = ReplayPace.unlimited
    /// More failures than this many of a hundred end the replay; nil: none do.
    package var abortAbove: Double?
    /// How long a step of a ramp may take to settle: commands before it in the queue, and open payments, take their time.
    package var settleLimit = Duration.seconds(300)

    package init(actor: String) { self.actor = actor }
  }

  package struct Report: Sendable, Equatable {
    package var matched: Int64 = 0
    package var replayed = 0
    package var skipped = 0
    /// Not taken by the broker, or known to have failed again.
    package var failed = 0
    /// Known to be done, and rejected.
    package var rejected = 0
    /// Sent, watched, and not known to have ended.
    package var underWay = 0
    /// Why it ended before its end.
    package var aborted: String?

    package init() {}
  }

  /// A letter that was not replayed, or not with success, and why.
  package struct Note: Sendable, Equatable {
    package enum Kind: String, Sendable { case skipped, failed, rejected }
    package let key: DeadLetterKey
    package let kind: Kind
    package let why: String
  }

  /// How long a claimed letter may take to be published; it is free to be claimed again after that.
  package static let patience = Duration.seconds(30)

  let ports: Ports
  let settings: Settings
  let onNote: @Sendable (Note) -> Void
  let onProgress: @Sendable (Report) -> Void

  package init(
    ports: Ports, settings: Settings, onNote: @escaping @Sendable (Note) -> Void = { _ in },
    onProgress: @escaping @Sendable (Report) -> Void = { _ in }
  ) {
    self.ports = ports
    self.settings = settings
    self.onNote = onNote
    self.onProgress = onProgress
  }

  /// Replays the letters of `selection`. Ends early where the task is cancelled.
  package func run(_ selection: DeadLetterSelection) async throws(StoreError) -> Report {
    var selection = selection
    var report = Report()
    report.matched = try await selection.count()
    onProgress(report)
    var watch = ReplayWatch()
    var step = 0
    while !Task.isCancelled {
      let began = ContinuousClock.now
      let letters = try await selection.next(settings.pace.letters(inStep: step))
      if letters.isEmpty { break }
      let sent = try await replay(letters, &report)
      if watches { watch.add(sent) }
      try await look(&watch, &report)
      onProgress(report)
      if report.aborted != nil { break }
      let rest = settings.pace.time(ofStep: step, letters: letters.count) - (ContinuousClock.now - began)
      if rest > .zero { try? await ports.clock.sleep(for: rest) }
      step += 1
    }
    try await look(&watch, &report, atEnd: true)
    return report
  }

  /// Claims and publishes; returns what is with the broker.
  private func replay(_ letters: [DeadLetter], _ report: inout Report) async throws(StoreError) -> [DeadLetterKey] {
    var messages: [DeadLetterKey: Message] = [:]
    var claims: [ReplayClaim] = []
    let at = ports.now()
    for letter in letters {
      switch prepare(letter, at: at) {
      case .success(let (message, claim)):
        messages[letter.key] = message
        claims.append(claim)
      case .failure(let reason): tell(Note(key: letter.key, kind: .skipped, why: reason.why), in: &report)
      }
    }
    guard !claims.isEmpty else { return [] }
    let claimed = try await ports.store.claim(claims, patience: Self.patience)
    let mine = claims.map(\.key).filter(claimed.contains)
    for claim in claims where !claimed.contains(claim.key) {
      tell(Note(key: claim.key, kind: .skipped, why: "it is under way already, or was settled meanwhile"), in: &report)
    }
    guard !mine.isEmpty else { return [] }
    let outcomes = await ports.forwarder.forward(mine.map { messages[$0]! })
    let sent = zip(mine, outcomes).filter { $0.1 == .safe }.map(\.0)
    if let reason = outcomes.firstReason {
      let lost = zip(mine, outcomes).filter { $0.1 != .safe }.map(\.0)
      let why = "RabbitMQ did not confirm it: \(reason)"
      try await ports.store.giveBack(lost, DeadLetterEvent(at: ports.now(), what: "not replayed: \(why)", actor: settings.actor))
      for key in lost { tell(Note(key: key, kind: .failed, why: why), in: &report) }
      if sent.isEmpty { report.aborted = "RabbitMQ does not take them: \(reason)" }
    }
    if !sent.isEmpty { try await ports.store.published(sent) }
    report.replayed += sent.count
    return sent
  }

  /// Counts it, and tells of it.
  func tell(_ note: Note, in report: inout Report) {
    switch note.kind {
    case .skipped: report.skipped += 1
    case .failed: report.failed += 1
    case .rejected: report.rejected += 1
    }
    onNote(note)
  }

  /// Why a letter cannot be replayed.
  package struct Obstacle: Error, Equatable {
    package let why: String
    package init(why: String) { self.why = why }
  }

  private func prepare(_ letter: DeadLetter, at now: Timestamp) -> Result<(Message, ReplayClaim), Obstacle> {
    do throws(Obstacle) {
      let replay = try message(of: letter)
      let event = DeadLetterEvent(at: now, what: settings.edit.map { "replayed after an edit: \($0.summary)" } ?? "replayed", actor: settings.actor)
      let actions: [DeadLetterAction] = settings.edit == nil ? [.replay] : [.edit, .replay]
      let audit = actions.map { AuditEntry($0, of: letter, by: settings.actor, at: now) }
      return .success((replay.message, ReplayClaim(key: letter.key, mark: replay.mark, event: event, audit: audit)))
    } catch {
      return .failure(error)
    }
  }

  /// The letter as it would be published.
  func message(of letter: DeadLetter) throws(Obstacle) -> ReplayMessage {
    guard letter.state == .parked || letter.state == .replaying else { throw Obstacle(why: "it is \(letter.state.rawValue)") }
    guard letter.hasWholeBody else { throw Obstacle(why: "only the beginning of its body was kept") }
    if letter.isTokenExpired && !settings.acceptsExpired {
      throw Obstacle(why: "its sender's token had expired: --accept-expired gives it back the rights that it had")
    }
    let standIn = settings.standIn.map { Principal(subject: $0.subject, roles: $0.roles, tenant: letter.key.tenant) }
    guard let principal = letter.principal ?? standIn else {
      throw Obstacle(why: "nobody was verified to have sent it: --as-me replays it under your own rights")
    }
    var body = letter.body
    if let edit = settings.edit {
      if letter.reason == .idConflict { throw Obstacle(why: "another command has its id: it cannot be edited under that") }
      body = try edit.apply(body)
    }
    return ports.codec.replay(letter, body: body, under: principal, mark: ReplayMark(letter: letter.key, by: settings.actor))
  }
}
