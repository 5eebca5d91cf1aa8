import ClientRuntime
import TestSupport

/// Does faults one after the other, each once so much of the work is done, and undoes each before the next.
struct ChaosFaults: Sendable {
  let faults: [ChaosFault]
  let seed: UInt64
  let servers: ChaosServers
  let crew: ChaosCrew

  /// `reached` waits for a share of the work between 0 and 1, and is false where it does not come; `begun` and `done` are told of how many faults.
  func run(reached: (Double) async -> Bool, begun: (Int) -> Void, done: (Int) -> Void, say: (String) -> Void) async throws {
    var random = SeededGenerator(seed: seed)
    for (number, fault) in faults.enumerated() {
      let share = (Double(number) + Double.random(in: 0.1...0.5, using: &random)) / Double(faults.count)
      guard await reached(share) else {
        say("the work stopped before fault \(number + 1), \(fault)")
        return
      }
      say("fault \(number + 1): \(fault)")
      begun(number + 1)
      // Into the work that comes now.
      try? await Task.sleep(for: .milliseconds(Int.random(in: 20...150, using: &random)))
      try await happen(fault, &random)
      done(number + 1)
    }
  }

  private func happen(_ fault: ChaosFault, _ random: inout SeededGenerator) async throws {
    switch fault {
    case .kill(.worker(let number), let away):
      await crew.kill(number)
      try? await Task.sleep(for: away)
      await crew.restart(number)
    case .kill(.server(let server), let away):
      await servers.kill(server)
      try? await Task.sleep(for: away)
      try await servers.start(server)
    case .killWaiting(let number, let server, let away):
      let link = await crew.link(number, to: server)
      link.becomeBlackHole()
      try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500, using: &random)))
      await crew.kill(number)
      // What it sent last never comes.
      link.cut()
      link.forwardAgain()
      try? await Task.sleep(for: away)
      await crew.restart(number)
    case .freeze(.worker(let number), let time):
      await crew.freeze(number)
      try? await Task.sleep(for: time)
      await crew.thaw(number)
    case .freeze(.server(let server), let time):
      await servers.freeze(server)
      try? await Task.sleep(for: time)
      await servers.thaw(server)
    case .link(let worker, let server, let trouble, let direction, let time):
      let link = await crew.link(worker, to: server)
      switch trouble {
      case .delay: link.delay(.milliseconds(Int.random(in: 5...(server == .provider ? 30 : 150), using: &random)))
      case .cut: link.cut(afterBytes: Int.random(in: 1...20_000, using: &random))
      case .halfClose: link.halfClose(direction)
      case .blackHole: link.becomeBlackHole()
      case .oneWay: link.becomeBlackHole([direction])
      }
      try? await Task.sleep(for: time)
      // Of what was held back, half comes late and half never.
      if trouble == .blackHole || trouble == .oneWay, Bool.random(using: &random) { link.cut() }
      link.forwardAgain()
    case .provider(let mode, let time):
      _ = await servers.provider.post("/sandbox/mode", json: #"{"mode":"\#(mode)","for_ms":\#(Int(time / .milliseconds(1)))}"#)
      try? await Task.sleep(for: time)
    }
  }
}
