using Bff.Upstreams.Shadow;

namespace Bff.Shared.Tests.Upstreams.Shadow;

/// <summary>A service that invents names of members cannot create an unlimited number of metric series.</summary>
public sealed class ShadowPathsTests
{
    [Fact]
    public void Paths_beyond_the_maximum_are_counted_as_other_and_known_ones_stay()
    {
        var paths = new ShadowPaths(most: 3);

        Assert.Equal("a", paths.Of("orders", "order", "a"));
        Assert.Equal("b", paths.Of("orders", "order", "b"));
        Assert.Equal("status", paths.Of("orders", "order", "status"));
        Assert.Equal("other", paths.Of("orders", "order", "c"));
        Assert.Equal("other", paths.Of("orders", "orders", "a")); // Known at another endpoint only, so it would be a new series.
        Assert.Equal("other", paths.Of("users", "order", "a"));
        Assert.Equal("b", paths.Of("orders", "order", "b"));
    }

    [Fact]
    public void A_path_that_is_too_long_is_counted_as_other()
    {
        var paths = new ShadowPaths(most: 3);

        Assert.Equal(new string('a', 128), paths.Of("orders", "order", new string('a', 128)));
        Assert.Equal("other", paths.Of("orders", "order", new string('a', 129)));
    }
}
