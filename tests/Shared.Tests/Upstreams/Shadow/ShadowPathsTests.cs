using Bff.Upstreams.Shadow;

namespace Bff.Shared.Tests.Upstreams.Shadow;

/// <summary>A service that makes up names makes no series without end.</summary>
public sealed class ShadowPathsTests
{
    [Fact]
    public void Paths_beyond_the_most_are_others_and_those_that_are_known_stay()
    {
        var paths = new ShadowPaths(most: 3);

        Assert.Equal("a", paths.Of("orders", "order", "a"));
        Assert.Equal("b", paths.Of("orders", "order", "b"));
        Assert.Equal("status", paths.Of("orders", "order", "status"));
        Assert.Equal("other", paths.Of("orders", "order", "c"));
        Assert.Equal("other", paths.Of("orders", "orders", "a")); // A series of its own.
        Assert.Equal("other", paths.Of("users", "order", "a"));
        Assert.Equal("b", paths.Of("orders", "order", "b"));
    }

    [Fact]
    public void A_path_is_no_longer_than_a_name_should_be()
    {
        var paths = new ShadowPaths(most: 3);

        Assert.Equal(new string('a', 128), paths.Of("orders", "order", new string('a', 128)));
        Assert.Equal("other", paths.Of("orders", "order", new string('a', 129)));
    }
}
