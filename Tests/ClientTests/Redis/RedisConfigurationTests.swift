import RedisClient
import Testing

struct RedisConfigurationTests {
  @Test(arguments: [
    ("redis://localhost", "localhost:6379/0"), ("redis://127.0.0.1:7000", "127.0.0.1:7000/0"), ("redis://h/15", "h:6379/15"),
    ("redis://h:1/", "h:1/0"), ("REDIS://user:pass@h:65535/2", "h:65535/2"), ("redis://:p%40ss@h", "h:6379/0"), ("redis://[::1]:7/1", "::1:7/1"),
    ("redis://u:p@ss@h", "h:6379/0"),
  ])
  func addressesAreRead(url: String, server: String) throws {
    #expect(try RedisConfiguration(url: url).description == server)
  }

  @Test(arguments: [
    "", "localhost:6379", "http://h", "redis://", "redis://h:0", "redis://h:65536", "redis://h:x", "redis://h/x", "redis://h/-1",
    "redis://:p%zz@h", "redis://[::1", "redis://a:b:c", "redis://user@h",
  ])
  func othersAreRefusedWithoutBeingQuoted(url: String) {
    let error = #expect(throws: RedisConfigurationError.self) { try RedisConfiguration(url: url) }
    #expect(error?.description.contains("redis://") == true)
    #expect(error.map { url.count < 4 || !$0.description.contains(url) || url == "redis://" } == true)
  }

  @Test func encryptedConnectionsAreRefusedByName() {
    let error = #expect(throws: RedisConfigurationError.self) { try RedisConfiguration(url: "rediss://u:hunter2@h") }
    #expect(error?.description.contains("TLS") == true && error?.description.contains("tunnel") == true && error?.description.contains("hunter2") == false)
  }

  @Test func thePasswordIsNeitherPrintedNorDumped() throws {
    let configuration = try RedisConfiguration(url: "redis://user:hunter2@h")
    var dumped = ""
    dump(configuration, to: &dumped)
    #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("hunter2"))
  }
}
