using System.Text.RegularExpressions;
using Bff.Configuration;

namespace Architecture.Tests;

/// <summary>
/// Every key, with each kind of typing error, stops the hosts that read it, and the error names the right spelling.
/// </summary>
[Collection(RealHostsCollection.Name)]
public sealed partial class MisspeltKeysTests(RealHosts hosts) : IAsyncLifetime
{
    private Surroundings? _surroundings;

    public static TheoryData<string, Slip> Cases
    {
        get
        {
            var cases = new TheoryData<string, Slip>();
            foreach (var host in Source.Hosts)
            {
                foreach (var slip in Enum.GetValues<Slip>())
                {
                    cases.Add(host, slip);
                }
            }

            return cases;
        }
    }

    /// <summary>Kinds of typing errors.</summary>
    public enum Slip
    {
        /// <summary>A letter is missing.</summary>
        Omission,

        /// <summary>A letter is doubled.</summary>
        Doubling,

        /// <summary>Two letters are swapped.</summary>
        Transposition,

        /// <summary>A letter is replaced by another.</summary>
        Substitution,
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync() => await _surroundings!.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_misspelt_key_stops_the_host_and_the_right_one_is_named(string host, Slip slip)
    {
        var page = new ConfigurationPage(hosts.Services);
        var right = ConfigurationPage
            .Settings.Where(s => page.Readers(s).Hosts.Contains(host))
            .Select(s => Name().Replace(s.IsList ? s.Path + ":<n>" : s.Path, m => m.Value == "<n>" ? "0" : "sample"))
            .Distinct()
            .ToList();
        var wrong = right
            .SelectMany(key => Misspelt(key, slip).Select(w => (Wrong: w, Right: key)))
            .DistinctBy(w => w.Wrong)
            .ToDictionary(w => w.Wrong, w => w.Right);
        Assert.True(wrong.Count > 60);

        var refused = Assert.ThrowsAny<Exception>(() =>
            RealHosts.Start(host, _surroundings!, wrong.ToDictionary(w => w.Key, _ => (string?)"1"), "Development")
        );

        var said = (refused as InvalidConfigurationException ?? (InvalidConfigurationException)refused.InnerException!)
            .Mistakes.DistinctBy(m => m.Key)
            .ToDictionary(m => m.Key, m => m.Message);
        Assert.Empty(
            wrong
                .Where(w => !said.GetValueOrDefault(w.Key, "").EndsWith($" {Unnumbered(w.Value)}?", StringComparison.Ordinal))
                .Select(w => $"{w.Key}: {said.GetValueOrDefault(w.Key)}")
                .ToList()
        );
    }

    /// <summary>Returns the key with the error in each of its words that is long enough to be recognised.</summary>
    private static IEnumerable<string> Misspelt(string key, Slip slip)
    {
        var words = key.Split(':');
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].Length >= 4 && words[i] != "sample")
            {
                var changed = words.ToArray();
                changed[i] = Changed(words[i], words[i].Length / 2, slip);
                if (changed[i] != words[i])
                {
                    yield return string.Join(':', changed);
                }
            }
        }
    }

    private static string Changed(string word, int at, Slip slip) =>
        slip switch
        {
            Slip.Omission => word.Remove(at, 1),
            Slip.Doubling => word.Insert(at, word[at].ToString()),
            Slip.Transposition => word[..(at - 1)] + word[at] + word[at - 1] + word[(at + 1)..],
            _ => word[..at] + 'q' + word[(at + 1)..],
        };

    private static string Unnumbered(string key) => key.EndsWith(":0", StringComparison.Ordinal) ? key[..^2] : key;

    [GeneratedRegex("<[a-z]+>")]
    private static partial Regex Name();
}
