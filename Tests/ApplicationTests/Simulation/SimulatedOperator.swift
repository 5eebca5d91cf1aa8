import Application
import Domain

/// An operator who replays all that is parked, once, and whose terminal may be closed meanwhile.
struct SimulatedOperator {
  let world: SimulatedWorld
  let second: Int
  /// After so many milliseconds its terminal is closed.
  let closesAfter: Int?

  func run() async {
    world.broker.expected += 1
    defer { world.broker.expected -= 1 }
    try? await world.clock.sleep(for: .seconds(second))
    let life = Life(name: "operator at \(second)")
    if let closesAfter { world.executor.at(world.executor.now + .milliseconds(closesAfter)) { _ in life.end(isDeath: true) } }
    let store = LifeLetters(world: world, life: life)
    let replay = DeadLetterReplay(
      ports: .init(
        store: store, codec: SimulatedLetterCodec(), forwarder: LifeMessaging(world: world, life: life), clock: world.clock,
        now: { [world] in world.wallClock }), settings: .init(actor: life.name))
    world.tell("\(life.name) replays")
    guard let report = try? await replay.run(DeadLetterSelection(DeadLetterFilter(), tenant: .standard, store: store)) else {
      return world.tell("\(life.name) gives up")
    }
    if report.replayed > 0 { world.saw("replayed") }
    world.tell("\(life.name): replayed \(report.replayed), skipped \(report.skipped), failed \(report.failed)")
  }
}
