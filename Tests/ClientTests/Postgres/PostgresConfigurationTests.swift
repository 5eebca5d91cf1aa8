import PostgresClient
import Testing

struct PostgresConfigurationTests {
  @Test(arguments: [
    ("postgres://orders@127.0.0.1:7000/orders", "orders@127.0.0.1:7000/orders"), ("postgresql://h/db", "h:5432/db"),
    ("postgresql://u:p%40ss@a:1,b:2/db?sslmode=disable", "u@a:1,b:2/db"), ("host=h port=1 user=u password=hunter2 dbname=d", "u@h:1/d"),
  ])
  func addressesAreRead(url: String, server: String) throws {
    #expect(try PostgresConfiguration(url: url).description == server)
  }

  @Test(arguments: [
    "hunter2", "http://u:hunter2@h/db", "postgres://u:hunter2@h:port/db", "postgres://u:hunter2@h/db?nonsense=1", "postgres://u:hun%zzter2@h/db",
    "postgres://u:x@hunter2@h/db", "postgres://u:hunter2/x@h/db", "password=hunter2 nonsense=1", "host=h password='hunter2",
  ])
  func othersAreRefusedWithoutBeingQuoted(url: String) {
    let error = #expect(throws: PostgresConfigurationError.self) { try PostgresConfiguration(url: url) }
    #expect(error?.description.contains("hunter2") == false && error?.description.contains("database URL") == true)
  }

  @Test func thePasswordIsNeitherPrintedNorDumped() throws {
    let configuration = try PostgresConfiguration(url: "postgres://u:hunter2@h/db")
    var dumped = ""
    dump(configuration, to: &dumped)
    #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("hunter2"))
  }
}
