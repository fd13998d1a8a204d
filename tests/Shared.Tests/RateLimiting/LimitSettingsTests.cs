using System.Net;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Tenancy;
using Microsoft.Extensions.Configuration;

namespace Bff.Shared.Tests.RateLimiting;

public sealed class LimitSettingsTests
{
    [Fact]
    public void Every_mistake_is_found_with_its_key()
    {
        var mistakes = new ConfigurationMistakes();
        Read(
            PlanFamily.Users,
            mistakes,
            ("Plans:gold:Burst", "5"),
            ("Plans:free:RequestsPerMinute", "many"),
            ("Plans:free:Endpoints", "some"),
            ("Plans:premium:Overage", "true"),
            ("Plans:enterprise:RequestsPerDay", "10"),
            ("Plans:enterprise:Overage", "true"),
            ("Plans:enterprise:OverageCeiling", "9"),
            ("Limits:Mode", "Loose"),
            ("Limits:Endpoints:search:Cost", "0"),
            ("Limits:Endpoints:me:Burst", "4"),
            ("Tenants:a:Plan", "none"),
            ("Tenants:a:AllowedEndpoints:0", "v1/**/x"),
            ("Tenants:a:CustomDomain", "https://x"),
            ("Tenants:a:Priority", "urgent"),
            ("Tenants:a:MaxConcurrency", "0"),
            ("Tenants:a:DedicatedUpstreams:orders:Address", "orders"),
            ("Tenants:a:RateLimit:Burst", "4"),
            ("Upstreams:orders:Address", "http://orders"),
            ("Tenants:a:DedicatedUpstreams:none:Address", "http://none"),
            ("Tenants:b:CustomDomain", "x.example"),
            ("Tenants:c:CustomDomain", "X.example")
        );
        Assert.Equal(
            [
                "Limits:Endpoints:me:RequestsPerMinute",
                "Limits:Endpoints:search:Cost",
                "Limits:Mode",
                "Plans:enterprise:OverageCeiling",
                "Plans:free:Endpoints",
                "Plans:free:RequestsPerMinute",
                "Plans:gold:RequestsPerMinute",
                "Plans:premium:Overage",
                "Tenants:a:AllowedEndpoints:0",
                "Tenants:a:CustomDomain",
                "Tenants:a:DedicatedUpstreams:none",
                "Tenants:a:DedicatedUpstreams:orders:Address",
                "Tenants:a:MaxConcurrency",
                "Tenants:a:Plan",
                "Tenants:a:Priority",
                "Tenants:a:RateLimit:RequestsPerMinute",
                "Tenants:c:CustomDomain",
            ],
            mistakes.All.Select(m => m.Key).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData(PlanFamily.Partner, "free", 100, 20, 10_000, 256 * 1024, true, StoreFailure.Reject)]
    [InlineData(PlanFamily.Partner, "pro", 5_000, 500, 1_000_000, 5 * 1024 * 1024, false, StoreFailure.Reject)]
    [InlineData(PlanFamily.Partner, "enterprise", 50_000, 1_000, 0, 50 * 1024 * 1024, false, StoreFailure.Reject)]
    [InlineData(PlanFamily.Users, "anonymous", 60, 30, 0, 0, false, StoreFailure.Local)]
    [InlineData(PlanFamily.Users, "free", 60, 30, 0, 0, false, StoreFailure.Local)]
    [InlineData(PlanFamily.Users, "premium", 600, 120, 0, 0, false, StoreFailure.Local)]
    [InlineData(PlanFamily.Users, "enterprise", 6_000, 1_000, 0, 0, false, StoreFailure.Local)]
    public void Plans_have_their_documented_defaults(
        PlanFamily family,
        string name,
        int perMinute,
        int burst,
        int perDay,
        int bytes,
        bool readOnly,
        StoreFailure failure
    )
    {
        var plan = Read(family, new()).Plans[name];
        Assert.Equal((perMinute, burst, readOnly, failure), (plan.RequestsPerMinute, plan.Burst, plan.IsReadOnly, plan.OnStoreFailure));
        Assert.Equal((perDay, bytes), (plan.RequestsPerDay ?? 0, plan.MaxPayloadBytes ?? 0));
    }

    [Fact]
    public void A_single_value_of_a_plan_can_be_overridden_and_a_plan_added()
    {
        var mistakes = new ConfigurationMistakes();
        var settings = Read(
            PlanFamily.Partner,
            mistakes,
            ("Plans:Free:Burst", "25"),
            ("Plans:gold:RequestsPerMinute", "9"),
            ("Plans:gold:Burst", "3"),
            ("Plans:gold:Price", "9 EUR"),
            ("Tenants:acme:Plan", "gold")
        );
        Assert.Empty(mistakes.All);
        Assert.Equal((100, 25), (settings.Plans["free"].RequestsPerMinute, settings.Plans["free"].Burst));
        Assert.Equal(
            ("gold", 9, "9 EUR"),
            (settings.Tenants["acme"].Plan!.Name, settings.Plans["gold"].RequestsPerMinute, settings.Plans["gold"].Price)
        );
    }

    [Theory]
    [InlineData("/v1/orders/*", "/v1/orders/1", true)]
    [InlineData("/v1/orders/*", "/v1/orders", false)]
    [InlineData("/v1/orders/*", "/v1/orders/1/2", false)]
    [InlineData("/v1/orders/**", "/v1/orders", true)]
    [InlineData("/v1/orders/**", "/v1/orders/1/2", true)]
    [InlineData("/v1/orders/**", "/v1/orders-2", false)]
    [InlineData("/v1/*/tracking", "/v1/o 1/Tracking/", true)]
    [InlineData("/**", "/", true)]
    [InlineData("/", "/x", false)]
    public void Patterns_match_whole_segments(string pattern, string path, bool matches) =>
        Assert.Equal(matches, PathPattern.Parse(pattern)!.Matches(path));

    [Theory]
    [InlineData("v1")]
    [InlineData("")]
    [InlineData("/a/**/b")]
    [InlineData("/a*/b")]
    [InlineData("/a//b")]
    public void An_invalid_pattern_is_refused(string pattern) => Assert.Null(PathPattern.Parse(pattern));

    [Theory]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::1:0:0:0:1", "10.0.0.1", false)]
    public void IPv4_addresses_count_individually_and_IPv6_addresses_by_64_network(string one, string other, bool same) =>
        Assert.Equal(same, BucketKeys.Of(IPAddress.Parse(one)) == BucketKeys.Of(IPAddress.Parse(other)));

    [Fact]
    public void Different_names_never_give_the_same_key()
    {
        string[] names =
        [
            "a",
            "A",
            "a}",
            "a:b",
            "a b",
            "",
            new('x', 65),
            new('x', 66),
            "#" + new string('A', 24),
            BucketKeys.Safe("a}"),
            "é",
        ];
        Assert.Equal(names.Length, names.Select(BucketKeys.Safe).Distinct().Count());
        Assert.All(names.Select(BucketKeys.Safe), safe => Assert.DoesNotMatch("[{}: ]", safe));
    }

    private static LimitSettings Read(PlanFamily family, ConfigurationMistakes mistakes, params (string Key, string Value)[] settings) =>
        LimitSettingsReader.Read(
            new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value)).Build(),
            family,
            mistakes
        );
}
