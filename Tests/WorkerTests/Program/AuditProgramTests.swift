import Foundation
import Testing

/// The audit log as an operator sees it.
@Suite(.enabled(if: ServerWorld.isThere)) struct AuditProgramTests {
  @Test func whatWasDoneIsListedAndTamperingIsFound() async throws {
    try await ServerWorld.with { world async throws in
      for quantity in ["5", "7", "9"] { #expect(try await world.run("stock", "set", "a", quantity, "--sub", "ann").code == 0) }
      let table = try await world.run("audit", "list", "--actor", "ann").output.split(separator: "\n")
      #expect(table.count == 4 && table[1].contains("stock.set") && table[1].contains("7/0") && table[1].contains("9/0"), "the newest first, before and after")
      let json = try await world.run("audit", "list", "--limit", "1", "--json")
      let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: [[String: Any]]])
      let row = try #require(object["audit"]?.first)
      #expect(row["actor"] as? String == "ann" && row["before"] as? String == "7/0" && row["after"] as? String == "9/0")
      #expect(try await world.run("audit", "list", "--tenant", "other").output.contains("9/0") == false)

      let whole = try await world.run("audit", "verify")
      #expect(whole.code == 0 && whole.output == "3 rows in 3 chains: nothing was changed, removed or moved\n")
      try await world.sql("UPDATE audit_log SET after = '8/0' WHERE after = '9/0'")
      let tampered = try await world.run("audit", "verify")
      #expect(tampered.code == 1 && tampered.output.contains(", row 1: its content is not what was written"))
      let told = try await world.run("audit", "verify", "--json")
      #expect(told.code == 1 && told.output.contains(#""findings":[{"chain_id":""#))
    }
  }

  @Test func monthsGoOnlyOnceTheirTimeIsOver() async throws {
    try await ServerWorld.with { world async throws in
      #expect(try await world.run("stock", "set", "a", "5").code == 0)
      let dropped = try await world.run("audit", "drop", "--keep-months", "1")
      #expect(dropped.code == 0 && dropped.output == "0 rows are gone\n")
      #expect(try await world.run("audit", "drop", "--keep-months", "0").code == 64)
    }
  }
}
