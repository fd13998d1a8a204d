using Bff.Requests;

namespace Bff.Shared.Tests.Requests;

public sealed class RequestIdTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_request_id_is_a_version_7_uuid_with_its_millisecond()
    {
        var id = RequestId.New(Noon);

        Assert.Matches("^[0-9a-f]{32}$", id);
        Assert.Equal(7, Guid.ParseExact(id, "N").Version);
        Assert.InRange(Guid.ParseExact(id, "N").Variant, 8, 11);
        Assert.Equal(Noon.ToUnixTimeMilliseconds(), Convert.ToInt64(id[..12], 16));
    }

    [Fact]
    public void Request_ids_differ_within_a_millisecond_and_across_threads()
    {
        var ids = Enumerable.Range(0, 100_000).AsParallel().Select(_ => RequestId.New(Noon)).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(100_000, ids.Count);
    }
}
