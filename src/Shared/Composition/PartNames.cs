using System.Collections.Frozen;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using Bff.Configuration;
using Microsoft.Extensions.Hosting;

namespace Bff.Composition;

/// <summary>
/// Recognizes misspelt parts in the configuration. Parts are named where they are composed, so their names are known only during a request;
/// but a name that occurs nowhere in the host's code cannot be a part. An endpoint that does not occur there either belongs to another host
/// that shares the configuration file.
/// </summary>
internal sealed class PartNames : IKnownNames
{
    private readonly Lazy<FrozenSet<string>> _texts;

    public PartNames(IHostEnvironment host) => _texts = new(() => TextsOf(host.ApplicationName));

    /// <inheritdoc />
    public bool IsUnknown(string[] key, out string? nearest)
    {
        nearest = null;
        if (key is not [var section, var endpoint, var part, _, ..] || !section.Equals("Composition", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var texts = _texts.Value;
        if (!texts.Contains(endpoint) || texts.Contains(part))
        {
            return false;
        }

        var near = texts.Select(t => (Text: t, Distance: Misspelling.Distance(t, part))).MinBy(t => t.Distance);
        nearest = Misspelling.MayMean(near.Distance, part) ? string.Join(':', (string[])[.. key[..2], near.Text, .. key[3..]]) : null;
        return true;
    }

    /// <summary>
    /// Short strings in the code of the host and of its assemblies that compose; none for other hosts, such as test runners.
    /// </summary>
    private static FrozenSet<string> TextsOf(string host)
    {
        var shared = typeof(PartNames).Assembly.GetName().Name;
        if (Find(new AssemblyName(host)) is not { } main || !Refers(main))
        {
            return [];
        }

        return main.GetReferencedAssemblies()
            .Where(name => name.Name != shared)
            .Select(Find)
            .OfType<Assembly>()
            .Where(Refers)
            .Append(main)
            .SelectMany(Texts)
            .ToFrozenSet(StringComparer.Ordinal);

        bool Refers(Assembly assembly) => assembly.GetReferencedAssemblies().Any(name => name.Name == shared);
    }

    private static Assembly? Find(AssemblyName name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (Exception none) when (none is IOException or BadImageFormatException)
        {
            return null;
        }
    }

    /// <summary>Returns the string literals of an assembly (ECMA-335, II.24.2.4) that can be a segment of a key.</summary>
    private static unsafe List<string> Texts(Assembly assembly)
    {
        var texts = new List<string>();
        if (!assembly.TryGetRawMetadata(out var blob, out var length))
        {
            return texts;
        }

        var metadata = new MetadataReader(blob, length);
        for (var text = MetadataTokens.UserStringHandle(1); !text.IsNil; text = metadata.GetNextHandle(text))
        {
            if (metadata.GetUserString(text) is { Length: > 0 and <= 64 } found && !found.AsSpan().ContainsAny(' ', ':', '/'))
            {
                texts.Add(found);
            }
        }

        return texts;
    }
}
