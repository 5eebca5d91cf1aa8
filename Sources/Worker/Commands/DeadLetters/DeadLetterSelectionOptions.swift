import Application
import ArgumentParser
import Domain
import Operations

/// Which dead letters a command is to do something with: named ones, those of a filter, or all. Nothing is meant by saying nothing.
struct DeadLetterSelectionOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("Their ids, or as much of the beginning as tells them from the others.", valueName: "ID")) var ids: [DeadLetterName] = []
  @OptionGroup var filter: DeadLetterFilterOptions
  @Flag(help: "All that are parked.") var all = false

  func validate() throws {
    let ways = [!ids.isEmpty, !filter.isEmpty, all].filter(\.self).count
    if ways == 0 { throw ValidationError("Say which: ids, a filter (--reason, --type, --since, --order, --error), or --all.") }
    if ways > 1 && !(ways == 2 && all && ids.isEmpty) { throw ValidationError("Ids do not go with filters or --all.") }
  }

  func selection(_ options: DeadLetterOptions, _ store: any DeadLetterStore, states: Set<DeadLetterState>) async throws -> DeadLetterSelection {
    if ids.isEmpty { return try await DeadLetterSelection(filter.filter(states), tenant: options.tenant, store: store) }
    var letters: [DeadLetter] = []
    for name in ids {
      let letter = try await options.letter(name, in: store)
      if !letters.contains(where: { $0.key == letter.key }) { letters.append(letter) }
    }
    return DeadLetterSelection(letters, store: store)
  }
}
