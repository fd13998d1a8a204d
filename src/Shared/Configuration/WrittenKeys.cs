using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace Bff.Configuration;

/// <summary>A key that is written in a source of configuration.</summary>
/// <param name="Key">The whole key.</param>
/// <param name="IsEmpty">Whether its value is empty text, as for an empty list.</param>
/// <param name="IsVariable">Whether it is an environment variable, which many programs share.</param>
internal readonly record struct WrittenKey(string Key, bool IsEmpty, bool IsVariable);

/// <summary>Lists every key that has a value, with its kind of source.</summary>
internal static class WrittenKeys
{
    public static IEnumerable<WrittenKey> Of(IConfiguration configuration) =>
        configuration is IConfigurationRoot root ? root.Providers.SelectMany(Of).Distinct() : [];

    private static IEnumerable<WrittenKey> Of(IConfigurationProvider provider) =>
        provider switch
        {
            ChainedConfigurationProvider chained => Of(chained.Configuration),
            ConfigurationProvider known => Data(known)
                .Where(e => e.Value is not null)
                .Select(e => new WrittenKey(e.Key, e.Value is "", provider is EnvironmentVariablesConfigurationProvider)),
            _ => Below(provider, null),
        };

    private static IEnumerable<WrittenKey> Below(IConfigurationProvider provider, string? parent)
    {
        foreach (var child in provider.GetChildKeys([], parent).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var key = parent is null ? child : ConfigurationPath.Combine(parent, child);
            if (provider.TryGet(key, out var value) && value is not null)
            {
                yield return new(key, value is "", false);
            }

            foreach (var below in Below(provider, key))
            {
                yield return below;
            }
        }
    }

    /// <summary>
    /// The data that derived providers fill. <c>GetChildKeys</c> would scan all of it for every section, which takes seconds with 10 000
    /// tenants.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Data")]
    private static extern IDictionary<string, string?> Data(ConfigurationProvider provider);
}
