using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>
/// A snapshot of part of the configuration. It is always the last good one, and changes only as a whole and together with all others.
/// Inject this type. Read <see cref="Current"/> once per use and keep the result for the rest of that use.
/// </summary>
/// <typeparam name="T">The type of the snapshot, which the parse function creates. It must be immutable.</typeparam>
public sealed class Reloadable<T> : IReloadable
    where T : class
{
    private readonly string[] _sections;
    private readonly Func<IConfiguration, ConfigurationMistakes, T> _parse;
    private readonly Lock _lock = new();
    private ImmutableArray<Action<T>> _changed = [];
    private string? _fingerprint;
    private T? _current;

    internal Reloadable(string[] sections, Func<IConfiguration, ConfigurationMistakes, T> parse)
    {
        _sections = sections;
        _parse = parse;
    }

    /// <summary>The last good snapshot. It stays the same object until the sections that it was read from change.</summary>
    public T Current => Volatile.Read(ref _current)!;

    /// <summary>
    /// Registers a callback for changes of <see cref="Current"/>. It runs on the thread that noticed the edit, once all sections have their
    /// new snapshot.
    /// </summary>
    public void OnChange(Action<T> changed)
    {
        lock (_lock)
        {
            _changed = _changed.Add(changed);
        }
    }

    Action? IReloadable.Prepare(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        // Parsed even when its own sections are unchanged, because it may refer to others that changed (a tenant's plan).
        var next = _parse(configuration, mistakes);
        var fingerprint = Fingerprint(configuration);
        if (fingerprint == _fingerprint)
        {
            return null;
        }

        return () =>
        {
            _fingerprint = fingerprint;
            Volatile.Write(ref _current, next);
        };
    }

    void IReloadable.Announce()
    {
        foreach (var changed in _changed)
        {
            changed(Current);
        }
    }

    private string Fingerprint(IConfiguration configuration)
    {
        var text = new StringBuilder();
        foreach (var section in _sections)
        {
            foreach (
                var (key, value) in configuration.GetSection(section).AsEnumerable().OrderBy(e => e.Key, StringComparer.OrdinalIgnoreCase)
            )
            {
                text.Append(key).Append('\0').Append(value).Append('\u0001');
            }
        }

        return text.ToString();
    }
}

/// <summary>A <see cref="Reloadable{T}"/> as the gate sees it.</summary>
internal interface IReloadable
{
    /// <summary>Reads the configuration without taking effect. Returns an action that applies it; null when nothing changed.</summary>
    Action? Prepare(IConfiguration configuration, ConfigurationMistakes mistakes);

    /// <summary>Calls the registered listeners.</summary>
    void Announce();
}
