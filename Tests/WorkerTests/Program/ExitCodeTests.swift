import Foundation
import Testing

@Suite struct ExitCodeTests {
  @Test(arguments: [
    ["no-such-command"], ["surgeon", "--help"], ["run", "--nope"], ["send"], ["stock", "set", "a", "many"], ["run", "--prefetch"],
    ["payment-sandbox"], ["payment-sandbox", "--port", "65536"],
  ])
  func wrongUsageIs64(arguments: [String]) async throws {
    let result = try await Program.run(arguments)
    #expect(result.code == 64)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("Usage: "))
  }

  @Test(arguments: [
    (["run"], ["ORDERS_PREFETCH": "many"], "ORDERS_PREFETCH"), (["setup"], ["ORDERS_PREFETCH": "many"], "ORDERS_PREFETCH"),
    (["run"], [:], "ORDERS_AUTH=off"), (["run"], ["ORDERS_AUTH": "off", "ORDERS_ENV": "production"], "ORDERS_ENV=production does not allow"),
    (["run"], ["ORDERS_AUTH": "required", "ORDERS_ENV": "production"], "ORDERS_JWT_JWKS_URL"), (["run"], [:], "ORDERS_SIGNING_KEY_FILE is not set"),
    (
      ["run"], ["ORDERS_JWT_JWKS_FILE": "/no/such/keys", "ORDERS_JWT_JWKS_URL": "http://127.0.0.1:1/", "ORDERS_SIGNING_KEY_FILE": "/no/such/file"],
      "one of them is enough"
    ),
    (["run"], ["ORDERS_AUTH": "off", "ORDERS_PAYMENT_PROVIDER": "http"], "ORDERS_PAYMENT_URL"),
    (["run"], ["ORDERS_AUTH": "off", "ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://u:secret@h"], "ORDERS_PAYMENT_TOKEN"),
    (["run"], ["ORDERS_AUTH": "off", "ORDERS_PAYMENT_PROVIDER": "stripe"], "stripe"),
    (["run"], ["ORDERS_AUTH": "off", "ORDERS_INVENTORY_PROVIDER": "http"], "built-in inventory only"),
    (["run", "--config-file", "/no/such/file"], [:], "/no/such/file"),
    (["run", "--set", "ORDERS_X=1"], [:], "ORDERS_X"),
  ])
  func wrongConfigurationIs78AndNamed(arguments: [String], environment: [String: String], named: String) async throws {
    let result = try await Program.run(arguments, environment: environment)
    #expect(result.code == 78)
    #expect(result.errors.contains(named))
    #expect(result.output.isEmpty)
  }

  @Test func printConfigShowsWhereEachValueCameFrom() async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let file = try files.write("ORDERS_BATCH_MAX=7\n", to: "worker.env")
    let result = try await Program.run(
      ["run", "--print-config", "--json", "--http-port", "0"], environment: ["ORDERS_CONFIG_FILE": file, "ORDERS_TOKEN": "hunter2", "ORDERS_PREFETSH": "1"])
    #expect(result.code == 0)
    #expect(!result.output.contains("hunter2"))
    #expect(result.errors.contains("ORDERS_PREFETCH is the nearest"))
    let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [[String: Any]]])
    let rows = try #require(object["settings"])
    func row(_ name: String) -> [String?] { rows.filter { $0["name"] as? String == name }.flatMap { [$0["value"] as? String, $0["source"] as? String] } }
    #expect(row("ORDERS_BATCH_MAX") == ["7", "\(file):1"])
    #expect(row("ORDERS_HTTP_PORT") == ["0", "flag"])
    #expect(row("ORDERS_TOKEN") == ["***", "environment"])
    #expect(row("ORDERS_PREFETCH") == ["2000", "default"])
  }

  @Test func aFaultyStockFileChangesNothingAndIsNamedByItsLines() async throws {
    let result = try await Program.run(["stock", "import", "-"], input: "product_id,quantity\na,-1\nb,1\nc,x\n")
    #expect(result.code == 1)
    #expect(result.errors.contains("line 2: ") && result.errors.contains("line 4: ") && !result.errors.contains("line 3: "))
  }
}
