import Application
import Domain
import TestSupport

/// One life of a worker: the real pipeline, executor, relay and housekeeper over the world's ports, put together as the program does it.
struct SimulatedWorker {
  let world: SimulatedWorld
  let life: Life
  let slot: Int

  private var reservationTTL: Duration { .seconds(world.plan.reservationSeconds) }
  static let giveUp = Duration.seconds(15)
  static let rungs: [RetryRung] = [.oneSecond, .fiveSeconds]

  private struct Silent: DeadLetterJournal { func note(_ note: DeadLetterNote) {} }

  /// Returns when it has drained, or when nothing of it is left after its death.
  func run() async {
    let source = SimulatedSource(world: world, life: life, queue: world.broker.commands)
    let letterSource = SimulatedSource(world: world, life: life, queue: world.broker.deadLetterQueue)
    world.sources[slot] = [source, letterSource]
    let own = OwnCommands()
    let codec = PlainCodec()
    let (store, messaging, journal) = (LifeStore(world: world, life: life), LifeMessaging(world: world, life: life), SilentJournal())
    let jitter = { @Sendable [world] in Double.random(in: 0...1, using: &world.executor.random) }
    var calls = PaymentExecutor.Settings(deadline: SimulatedProvider.deadline, giveUp: Self.giveUp, concurrency: 4)
    calls.jitter = jitter
    let executor = PaymentExecutor(
      queue: store, provider: LifeProvider(world: world, life: life).guarded(jitter), results: own, journal: journal, settings: calls,
      clock: world.clock)
    var settings = CommandPipeline.Settings(
      batchMax: 5,
      terms: OrderTerms(
        payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .seconds(4), giveUp: Self.giveUp), reservationTTL: reservationTTL),
      retries: RetryPolicy(rungs: Self.rungs), forwarding: Forwarding(prefix: "orders", worker: life.name, seal: codec) { $0 },
      now: { [world] in world.wallClock })
    settings.jitter = jitter
    let pipeline = CommandPipeline(
      ports: .init(
        source: source, decoder: codec, encoder: codec, store: store, events: messaging, forwarder: messaging, replies: messaging, cache: messaging,
        journal: journal, trials: LifeTrials(world: world, life: life), own: own, paymentsOpened: { executor.wake() }),
      settings: settings, clock: world.clock)
    let relay = OutboxRelay(
      outbox: LifeOutbox(world: world, life: life), events: messaging, replies: messaging, cache: messaging, journal: journal, holder: life.name,
      clock: world.clock)
    let housekeeper = Housekeeper(
      store: LifeHousekeeping(world: world, life: life), commands: own, holder: life.name, settings: .init(reservationTTL: reservationTTL),
      clock: world.clock)

    let letters = LifeLetters(world: world, life: life)
    let ingestor = DeadLetterIngestor(
      source: letterSource, codec: SimulatedLetterCodec(), store: letters, journal: Silent(), now: { [world] in world.wallClock }, clock: world.clock)
    let keeper = DeadLetterKeeper(
      store: letters, holder: life.name, journal: Silent(), settings: .init(retention: DeadLetterRetention(mostUnusable: 1_000)), clock: world.clock)

    let working = task { _ = await pipeline.run() }
    let relaying = task { await relay.run() }
    let housekeeping = task { await housekeeper.run() }
    let ingesting = task { await ingestor.run() }
    let keeping = task { await keeper.run() }
    let paying = task { await executor.run() }
    life.atEnd = { isDeath in
      executor.stop()
      housekeeping.cancel()
      keeping.cancel()
      if isDeath {
        for task in [working, relaying, paying, ingesting] { task.cancel() }
        own.finish()
        source.end()
        letterSource.end()
        world.database.wakeAll()
      }
    }
    await life.ended()
    if !life.isOver {
      await pipeline.drain()
      await ingestor.drain()
    }
    await paying.value
    await housekeeping.value
    await keeping.value
    await ingesting.value
    own.finish()
    await working.value
    relaying.cancel()
    await relaying.value
    life.atEnd = nil
    source.end()
    letterSource.end()
  }

  private func task(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> { Task(executorPreference: world.executor, operation: body) }
}
