import Foundation
import Testing

@Suite(.enabled(if: ServerWorld.isThere)) struct StockProgramTests {
  private static func stock(_ world: ServerWorld, _ arguments: [String] = []) async throws -> [String: [Int]] {
    let result = try await Program.run(["stock", "list", "--json"] + arguments, environment: world.environment)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let rows = try #require(object["stock"] as? [[String: Any]])
    return Dictionary(
      uniqueKeysWithValues: rows.map { ($0["product_id"] as! String, [$0["on_hand"] as! Int, $0["reserved"] as! Int, $0["available"] as! Int]) })
  }

  @Test func stockIsImportedSetAndListed() async throws {
    try await ServerWorld.with { world async throws in
      let imported = try await world.run("stock", "import", "-", input: "product_id,quantity\na,7\nb,0\n")
      #expect(imported.code == 0)
      #expect(try await Self.stock(world) == ["a": [7, 0, 7], "b": [0, 0, 0]])
      #expect(try await world.run("stock", "set", "b", "5").code == 0)
      #expect(try await Self.stock(world) == ["a": [7, 0, 7], "b": [5, 0, 5]])
      let table = try await world.run("stock", "list").output.split(separator: "\n")
      #expect(table.first == "PRODUCT  ON HAND  RESERVED  AVAILABLE" && table.count == 3)
    }
  }

  @Test func belowWhatOrdersHoldIsRefusedAndNothingChanges() async throws {
    try await ServerWorld.with { world async throws in
      try await world.sql("INSERT INTO inventory VALUES ('default', 'a', 5, 3), ('default', 'b', 5, 4)")
      let set = try await world.run("stock", "set", "a", "2")
      #expect(set.code == 1 && set.errors.contains("a: orders hold 3"))
      #expect(try await world.run("stock", "set", "a", "3").code == 0)
      let imported = try await world.run("stock", "import", "-", input: "product_id,quantity\nc,1\nb,3\na,9\n")
      #expect(imported.code == 1 && imported.errors.contains("line 3: b: orders hold 4"))
      #expect(try await Self.stock(world) == ["a": [3, 3, 0], "b": [5, 4, 1]])
    }
  }

  @Test func whatWasSetAndCountedIsSaidInJSON() async throws {
    try await ServerWorld.with { world async throws in
      try await world.sql("INSERT INTO inventory VALUES ('default', 'a', 5, 3)")
      let set = try await world.run("stock", "set", "a", "7", "--json")
      #expect(set.output == #"{"tenant_id":"default","product_id":"a","on_hand":7,"reserved":3,"available":4}"# + "\n")
      let imported = try await world.run("stock", "import", "-", "--json", input: "product_id,quantity\na,9\nb,1\n")
      #expect(imported.output == "{\"counted\":2}\n")
    }
  }

  @Test func eachTenantHasItsOwn() async throws {
    try await ServerWorld.with { world async throws in
      #expect(try await world.run("stock", "set", "a", "1", "--tenant", "acme").code == 0)
      #expect(try await Self.stock(world) == [:])
      #expect(try await Self.stock(world, ["--tenant", "acme"]) == ["a": [1, 0, 1]])
    }
  }

  @Test func withoutTablesItSaysSetup() async throws {
    let result = try await ServerWorld().run("stock", "list")
    #expect(result.code == 1)
    #expect(result.errors.contains("order-worker setup"))
  }
}
