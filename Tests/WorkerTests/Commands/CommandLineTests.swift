import ArgumentParser
import Domain
import Testing

@testable import order_worker

@Suite struct CommandLineTests {
  private static func parse<Command: ParsableCommand>(_ words: String, as type: Command.Type = Command.self) throws -> Command {
    let arguments = try SettingFlags.expand(words.split(separator: " ").map(String.init))
    return try #require(try RootCommand.parseAsRoot(arguments) as? Command)
  }

  @Test func sendTakesItsOptions() throws {
    let command: SendCommand = try Self.parse("send order.create f.json --wait --count 3 --rate 0.5 --timeout 250ms")
    #expect(command.type == "order.create" && command.file == "f.json" && command.wait && command.count == 3 && command.rate == 0.5)
    #expect(command.timeout == .milliseconds(250))
  }

  @Test func sendReadsStandardInputWhereNoFileIsNamed() throws {
    #expect(try Self.parse("send order.create", as: SendCommand.self).file == "-")
    #expect(try Self.parse("send order.create -", as: SendCommand.self).file == "-")
  }

  @Test func watchShowsEverythingByDefault() throws {
    #expect(try Self.parse("watch", as: WatchCommand.self).pattern == "#")
    #expect(try Self.parse("watch order.*", as: WatchCommand.self).pattern == "order.*")
  }

  @Test func settingsGoWithEveryCommand() throws {
    let command: StockListCommand = try Self.parse("stock list --tenant acme --database-schema other")
    #expect(command.options.tenant.rawValue == "acme")
    #expect(try command.options.settings.flags().map(\.name) == ["ORDERS_DATABASE_SCHEMA"])
  }

  @Test(arguments: [
    "nope", "send", "send order.create f --count 0", "send order.create f --id a --count 2", "send order.create f --rate 0", "send order.create f --timeout 5",
    "stock set a", "stock set a x", "stock set a 1000000000000000", "stock list --tenant A", "stock", "run --nope", "run --json", "watch a b", "validate a b",
    "health --path health", "health --timeout 0s", "get", "get no-uuid", "get 6f1c2d3e-0000-4000-8000-000000000000 --min-version 0", "history x", "list",
    "list --customer c --limit 201",
    "list --customer c --status nowhere",
  ])
  func wrongUsageIs64(words: String) throws {
    do {
      var command = try RootCommand.parseAsRoot(words.split(separator: " ").map(String.init))
      // A command that only has subcommands asks for help when it is run.
      try command.run()
      Issue.record("was accepted")
    } catch {
      #expect(RootCommand.exitCode(for: error).rawValue == (words == "stock" ? 0 : 64))
    }
  }

  @Test(
    arguments: [
      [], ["run"], ["setup"], ["send"], ["watch"], ["stock"], ["stock", "list"], ["stock", "set"], ["stock", "import"], ["validate"], ["health"], ["get"],
      ["history"], ["list"],
      ["payment-sandbox"],
    ]
  )
  func everyCommandExplainsItself(path: [String]) throws {
    do {
      var help = try RootCommand.parseAsRoot(path + ["--help"])
      try help.run()
      Issue.record("help is an exit")
    } catch {
      #expect(RootCommand.exitCode(for: error).rawValue == 0)
      #expect(RootCommand.fullMessage(for: error).contains("OVERVIEW: "))
    }
  }

  @Test func helpOfRunNamesEverySetting() {
    for setting in SettingTable.all { #expect(SettingOptions.overview.contains("  \(setting.flag) ")) }
  }

  @Test(arguments: [
    (#"{"outcome":"accepted"}"#, true), (#"{"outcome":"duplicate","original":"accepted"}"#, true), (#"{"outcome":"duplicate","original":"rejected"}"#, false),
    (#"{"outcome":"rejected"}"#, false), (#"{"outcome":"dead_lettered"}"#, false), ("{}", false),
  ])
  func aReplyIsAcceptedWhereTheCommandHadItsEffect(json: String, expected: Bool) throws {
    #expect(try #require(CommandReply(Array(json.utf8))).isAccepted == expected)
  }

  @Test func aReplyThatIsNoObjectIsNone() {
    #expect(CommandReply(Array("[]".utf8)) == nil)
    #expect(CommandReply([0xFF]) == nil)
  }

  @Test func anEventIsOneReadableLine() {
    let json =
      #"{"time":"2026-01-01T00:00:00Z","type":"order.created","subject":"o-1","data":{"status":"pending","version":1,"total_amount":"59.98","currency":"USD"}}"#
    #expect(EventLine(Array(json.utf8)).text == "2026-01-01T00:00:00Z  order.created             o-1  pending     v1  59.98 USD")
  }

  @Test func arefusedCommandsEventSaysWhy() {
    let json = #"{"time":"t","type":"order.command_rejected","subject":"o-1","data":{"command":{},"error":{"code":"not_found"},"order":null}}"#
    #expect(EventLine(Array(json.utf8)).text.hasSuffix("-  not_found"))
  }

  @Test func nothingFromOutsideControlsTheTerminal() {
    #expect(!EventLine(Array("{\"type\":\"\\u001b[31m\"}".utf8)).text.contains("\u{1B}"))
    #expect(!EventLine(Array("\u{1B}[31m".utf8)).text.contains("\u{1B}"))
    #expect(TextTable.printable("a\u{9B}b") == "a\u{FFFD}b")
  }

  @Test func aTableLinesUpItsColumns() {
    let table = TextTable(columns: [.left("NAME"), .right("N")], rows: [["a", "1"], ["long name", "1000"]])
    #expect(table.text == "NAME          N\na             1\nlong name  1000")
  }
}
