import TestSupport

/// Something bad that is done to one part of the system, for a while.
enum ChaosFault: Sendable, CustomStringConvertible {
  enum Part: Sendable, Hashable, CustomStringConvertible {
    case worker(Int), server(Server)

    var description: String {
      switch self {
      case .worker(let number): "worker \(number)"
      case .server(let server): server.rawValue
      }
    }
  }

  enum Server: String, Sendable, CaseIterable { case broker, database, cache, provider }
  enum Trouble: Sendable, CaseIterable { case delay, cut, halfClose, blackHole, oneWay }

  case kill(Part, away: Duration)
  /// Killed while it waits for a server, and so with work in hand.
  case killWaiting(worker: Int, for: Server, away: Duration)
  case freeze(Part, Duration)
  case link(worker: Int, to: Server, Trouble, TCPProxy.Direction, Duration)
  case provider(mode: String, Duration)

  var description: String {
    switch self {
    case .kill(let part, let away): "kill \(part), away for \(away)"
    case .killWaiting(let worker, let server, let away): "kill worker \(worker) that waits for the \(server.rawValue), away for \(away)"
    case .freeze(let part, let time): "freeze \(part) for \(time)"
    case .link(let worker, let server, let trouble, let direction, let time):
      "link of worker \(worker) to \(server.rawValue): \(trouble) \(direction) for \(time)"
    case .provider(let mode, let time): "provider \(mode) for \(time)"
    }
  }

  /// Faults of processes: a worker, the broker and the database are killed in every run; else each kind once in a deck, and workers more often than
  /// what they use.
  static func ofProcesses(_ count: Int, workers: Int, _ random: inout SeededGenerator) -> [ChaosFault] {
    func worker(_ random: inout SeededGenerator) -> Int { Int.random(in: 0..<workers, using: &random) }
    let kills: [ChaosFault] = [
      .killWaiting(worker: worker(&random), for: .database, away: time(0...2_000, &random)), .kill(.server(.broker), away: time(0...2_000, &random)),
      .kill(.server(.database), away: time(0...2_000, &random)),
    ]
    let others = draw(count - kills.count, &random) { random in
      let parts: [Part] = Server.allCases.map { .server($0) } + (0..<2).map { _ in .worker(worker(&random)) }
      let deck = parts.flatMap { part -> [ChaosFault] in [.kill(part, away: time(0...2_000, &random)), .freeze(part, long(&random))] }
      return deck + Server.allCases.map { .killWaiting(worker: worker(&random), for: $0, away: time(0...2_000, &random)) }
    }
    return (kills + others).shuffled(using: &random)
  }

  /// Faults of links and of the provider's answers, each kind once in a deck.
  static func ofLinks(_ count: Int, workers: Int, _ random: inout SeededGenerator) -> [ChaosFault] {
    draw(count, &random) { random in
      var deck: [ChaosFault] = ["unavailable", "hang", "error", "reset", "slow"].map { .provider(mode: $0, time(500...4_000, &random)) }
      for server in Server.allCases {
        for trouble in Trouble.allCases {
          deck.append(
            .link(
              worker: Int.random(in: 0..<workers, using: &random), to: server, trouble, TCPProxy.Direction.allCases.randomElement(using: &random)!,
              trouble != .blackHole && trouble != .oneWay ? time(500...3_000, &random) : long(&random)))
        }
      }
      return deck
    }
  }

  private static func draw(_ count: Int, _ random: inout SeededGenerator, _ deck: (inout SeededGenerator) -> [ChaosFault]) -> [ChaosFault] {
    var faults: [ChaosFault] = []
    while faults.count < count { faults += deck(&random).shuffled(using: &random) }
    return Array(faults.prefix(max(count, 0)))
  }

  private static func time(_ milliseconds: ClosedRange<Int>, _ random: inout SeededGenerator) -> Duration {
    .milliseconds(Int.random(in: milliseconds, using: &random))
  }

  /// Sometimes longer than leases and heartbeats last, and longer than a payment is waited for.
  private static func long(_ random: inout SeededGenerator) -> Duration {
    Int.random(in: 0..<5, using: &random) == 0 ? .seconds(13) : time(300...5_000, &random)
  }
}
