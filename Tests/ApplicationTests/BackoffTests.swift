import Pacing
import TestSupport
import Testing

@Suite struct BackoffTests {
  @Test func waitsDoubleUpToTheirLimitAndAreDrawnFromTheirUpperHalf() {
    var random = SeededGenerator.forTest("backoff")
    for _ in 0..<100 {
      var backoff = Backoff(first: .milliseconds(100), limit: .milliseconds(500))
      for longest in [100, 200, 400, 500, 500] {
        let wait = backoff.next(chance: .random(in: 0...1, using: &random))
        #expect(wait >= .milliseconds(longest) / 2 && wait <= .milliseconds(longest))
      }
      backoff.reset()
      #expect(backoff.next(chance: .random(in: 0...1, using: &random)) <= .milliseconds(100))
    }
  }

  @Test func twoThatBeganTogetherDoNotComeBackTogether() {
    var random = SeededGenerator.forTest("backoff")
    let waits = (0..<50).map { _ in Backoff.jittered(.seconds(1), chance: .random(in: 0...1, using: &random)) }
    #expect(waits.max()! - waits.min()! > .milliseconds(250))
  }
}
