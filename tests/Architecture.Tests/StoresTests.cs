using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>State has one interface, two engines and one suite of tests.</summary>
public sealed partial class StoresTests
{
    /// <summary>Interfaces with an implementation for Redis or an embedded one.</summary>
    public static TheoryData<string> Stores => new(Interfaces.Select(i => i.Name).Order(StringComparer.Ordinal));

    private static Type[] All { get; } = [.. Source.Hosts.Prepend("Bff.Shared").SelectMany(a => Source.Load(a).GetTypes())];

    private static IEnumerable<Type> Interfaces =>
        All.Where(t =>
            t is { IsInterface: true }
            && Engines(t)
                .Any(e => e.Name.StartsWith("Redis", StringComparison.Ordinal) || e.Name.StartsWith("Embedded", StringComparison.Ordinal))
        );

    private static IEnumerable<Type> Engines(Type store) =>
        All.Where(t => t is { IsClass: true } && t.GetInterfaces().Contains(store) && t.Assembly == store.Assembly);

    [Fact]
    public void Every_store_has_both_engines_and_is_registered_with_them()
    {
        var registered = Source
            .Files("src")
            .SelectMany(f => Registered().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .ToHashSet();

        Assert.True(registered.Count > 10);
        Assert.Equal(registered.Order(), Interfaces.Select(i => $"{i.Name}, {Engine(i, "Redis")}, {Engine(i, "Embedded")}").Order());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void One_suite_runs_over_both_engines_of_a_store(string store)
    {
        var suites = Source
            .Files("tests")
            .Select(File.ReadAllText)
            .Where(t => t.Contains($"[StoreSuite(typeof({store}))]", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(suites);
        Assert.All(
            suites,
            text =>
            {
                Assert.Matches("RedisData|RedisFact", text);
                Assert.Matches(@"InlineData\((?:""embedded""|false)\)|Embedded\w+", text);
            }
        );
    }

    private static string Engine(Type store, string engine) =>
        Engines(store).SingleOrDefault(e => e.Name.StartsWith(engine, StringComparison.Ordinal))?.Name ?? "none";

    [GeneratedRegex(@"AddStore<(I\w+, Redis\w+, Embedded\w+)>")]
    private static partial Regex Registered();
}
