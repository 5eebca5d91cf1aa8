import Application
import ArgumentParser
import Domain
import JSONAdapter
import Operations

struct DeadLettersListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show dead letters, the newest first, or how many there are of each kind.",
    discussion: "Shown are those that wait for somebody, and those under way again, unless --state says others.")

  enum State: String, CaseIterable, ExpressibleByArgument {
    case open, parked, replaying, resolved, discarded, all

    var states: Set<DeadLetterState>? {
      switch self {
      case .open: [.parked, .replaying]
      case .all: nil
      case .parked: [.parked]
      case .replaying: [.replaying]
      case .resolved: [.resolved]
      case .discarded: [.discarded]
      }
    }
  }

  @OptionGroup var filter: DeadLetterFilterOptions
  @Option(help: ArgumentHelp("Those in this state: \(State.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "STATE")) var state = State.open
  @Option(help: ArgumentHelp("Count them by reason, error or type instead.", valueName: "WHAT")) var by: DeadLetterGrouping?
  @Option(help: ArgumentHelp("So many at most, 1 to 10000.", valueName: "N")) var limit = 50
  @OptionGroup var options: DeadLetterOptions

  func validate() throws {
    if !(1...10_000).contains(limit) { throw ValidationError("--limit must be from 1 to 10000.") }
  }

  func run() async throws {
    let (filter, tenant, limit, by) = (filter.filter(state.states), options.tenant, limit, by)
    let (configuration, _) = try await options.begin("list")
    if let by {
      let groups = try await options.withStore(configuration) { try await $0.groups(filter, tenant: tenant, by: by, limit: limit) }
      if options.json { return Self.print(groups, by) }
      Console.print(DeadLetterTables.groups(groups, by, width: Terminal.columns))
      if groups.count == limit { Console.complain("the \(limit) largest: --limit shows more") }
      return
    }
    let (letters, count) = try await options.withStore(configuration) { store in
      let letters = try await store.newest(filter, tenant: tenant, after: nil, limit: limit)
      return (letters, letters.count < limit ? Int64(letters.count) : try await store.count(filter, tenant: tenant))
    }
    guard options.json else {
      Console.print(DeadLetterTables.list(letters, now: .now, width: Terminal.columns))
      if count > letters.count { Console.complain("\(letters.count) of \(count): --limit shows more, --by counts them") }
      return
    }
    var json = JSONText(capacity: 1_024)
    json.object { json in
      json.member("count", count)
      json.name("dead_letters")
      json.array(letters) { json, letter in json.raw(String(decoding: DeadLetterJSON.write(letter, reveals: false), as: UTF8.self)) }
    }
    Console.print(utf8: json.bytes)
  }

  private static func print(_ groups: [DeadLetterGroup], _ by: DeadLetterGrouping) {
    var json = JSONText(capacity: 1_024)
    json.object { json in
      json.member("by", by.rawValue)
      json.name("groups")
      json.array(groups) { json, group in
        json.object { json in
          if let name = group.name { json.member(by.rawValue, name) } else { json.null(by.rawValue) }
          json.member("count", group.count)
          json.member("oldest", group.oldest.description)
          json.member("newest", group.newest.description)
        }
      }
    }
    Console.print(utf8: json.bytes)
  }
}
