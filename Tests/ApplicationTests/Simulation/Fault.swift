/// Something that happens beside the commands, and mostly goes wrong: at which call of a port, or at which step.
enum Fault: Hashable, Sendable {
  enum Port: Sendable { case transaction, look, events, forward, provider, lookUp, cache }
  enum Server: Sendable { case store, broker, provider }
  enum Effect: Hashable, Sendable {
    case conflict, blocked, unavailable, refused
    /// It happens, and nobody hears of it.
    case answerLost
    /// It does not happen, and nobody hears of it either.
    case callLost
    /// It is refused: no effect.
    case nack
    case decline
    /// It happens some seconds later, while its caller's lease still lasts.
    case late
    /// The network holds it for so many seconds, and may let nothing else through for long enough that it is given up.
    case held(seconds: Int, cutsOff: Bool)
    /// Its worker is killed, before or after it happens.
    case dies, diesAfter
    /// Its worker is told to end, and it is refused.
    case drains
    /// It happens, and is heard of after longer than a lease.
    case slow
  }

  case call(Port, number: Int, Effect)
  /// The store refuses whatever has this command in it, so many times.
  case poison(command: Int, times: Int)
  case duplicate(command: Int, milliseconds: Int)
  case kill(worker: Int, step: Int)
  case loseChannel(worker: Int, step: Int)
  case drain(worker: Int, step: Int)
  /// From this second on, for so many.
  case outage(Server, second: Int, seconds: Int)
  /// Operators replay the dead letters.
  case replay(second: Int, operators: Int, closesAfter: Int?)
  /// Whoever leads is forgotten.
  case loseLeases(step: Int)

  /// Whether it can be the reason for which a command is tried in vain.
  var refusesWork: Bool { [.refused, .blocked].contains(effect) }

  private var effect: Effect? { if case .call(.transaction, _, let effect) = self { effect } else { nil } }

  static func random(commands: Int, workers: Int, using random: inout some RandomNumberGenerator) -> Fault {
    func number(_ most: Int) -> Int { Int.random(in: 1...most, using: &random) }
    func step() -> Int { Int.random(in: 1...(1 << Int.random(in: 4...11, using: &random)), using: &random) }
    func worker() -> Int { Int.random(in: 0..<workers, using: &random) }
    switch Int.random(in: 0..<33, using: &random) {
    case 0: return .call(.transaction, number: number(30), Bool.random(using: &random) ? .conflict : .blocked)
    case 1: return .call(.transaction, number: number(30), .unavailable)
    case 2: return .call(.transaction, number: number(30), .refused)
    case 3: return .call(.transaction, number: number(30), .answerLost)
    case 4: return .call(.look, number: number(60), Bool.random(using: &random) ? .unavailable : .answerLost)
    case 5: return .call(.events, number: number(20), .nack)
    case 6: return .call(.events, number: number(20), .answerLost)
    case 7: return .call(.forward, number: number(8), Bool.random(using: &random) ? .nack : .answerLost)
    case 8: return .call(.provider, number: number(8), .decline)
    case 9: return .call(.provider, number: number(8), .answerLost)
    case 10: return .call(.provider, number: number(8), [.callLost, .nack].randomElement(using: &random)!)
    case 11: return .call(.provider, number: number(8), .late)
    case 12: return .call(.cache, number: number(20), .callLost)
    case 13, 28: return .poison(command: Int.random(in: 0..<commands, using: &random), times: [1, 2, 3, 8, 8, 1_000].randomElement(using: &random)!)
    case 14: return .duplicate(command: Int.random(in: 0..<commands, using: &random), milliseconds: number(20_000))
    case 15: return .loseChannel(worker: worker(), step: step())
    case 16: return .drain(worker: worker(), step: step())
    case 29: return .loseLeases(step: step())
    case 17: return .outage(.provider, second: Int.random(in: 0...4, using: &random), seconds: number(30))
    case 18: return .outage(Bool.random(using: &random) ? .store : .broker, second: Int.random(in: 0...8, using: &random), seconds: number(20))
    case 19, 20: return .call([.look, .transaction].randomElement(using: &random)!, number: number(60), .slow)
    case 21:
      let call = number(8)
      let long = Int.random(in: 1...8, using: &random)
      return .call(.provider, number: call, .held(seconds: 8 + 1 << long, cutsOff: long.isMultiple(of: 2)))
    case 22, 30: return .call(.lookUp, number: number(2), [.nack, .answerLost, .callLost].randomElement(using: &random)!)
    case 23, 24: return .replay(second: 4 + number(16), operators: number(2), closesAfter: Bool.random(using: &random) ? number(300) : nil)
    case 25: return .call(.transaction, number: number(30), Bool.random(using: &random) ? .dies : .diesAfter)
    case 26: return .call(Bool.random(using: &random) ? .events : .forward, number: number(12), [.dies, .diesAfter, .drains].randomElement(using: &random)!)
    case 27: return .call(.provider, number: number(6), .dies)
    default: return .kill(worker: worker(), step: step())
    }
  }
}

/// The faults of a simulation by the place where they strike.
struct FaultBook {
  private var calls: [Fault.Port: [Int: Fault.Effect]] = [:]
  private var counts: [Fault.Port: Int] = [:]
  private var poisoned: [Int: Int] = [:]
  private(set) var steps: [Int: [Fault]] = [:]

  init(_ faults: [Fault]) {
    for fault in faults {
      switch fault {
      case .call(let port, let number, let effect): calls[port, default: [:]][number] = effect
      case .poison(let command, let times): poisoned[command, default: 0] += times
      case .kill(_, let step), .loseChannel(_, let step), .drain(_, let step), .loseLeases(let step): steps[step, default: []].append(fault)
      case .duplicate, .outage, .replay: break
      }
    }
  }

  /// What becomes of this port's next call.
  mutating func next(_ port: Fault.Port) -> Fault.Effect? {
    counts[port, default: 0] += 1
    return calls[port]?[counts[port]!]
  }

  mutating func refuses(_ commands: [Int]) -> Bool {
    guard let command = commands.sorted().first(where: { poisoned[$0, default: 0] > 0 }) else { return false }
    poisoned[command]! -= 1
    return true
  }
}
