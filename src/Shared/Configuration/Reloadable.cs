using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>
/// A snapshot of part of the configuration that changes only as a whole and only together with all others: always the last good one.
/// Inject this; read <see cref="Current"/> once per use and keep what it returned for the rest of that use.
/// </summary>
/// <typeparam name="T">Immutable; what the parse function makes.</typeparam>
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

    /// <summary>The last good snapshot. The same object until the sections it was made of change.</summary>
    public T Current => Volatile.Read(ref _current)!;

    /// <summary>
    /// Calls back after each change of <see cref="Current"/>, on the thread that noticed the edit, when all sections have theirs.
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
        // Parsed even when its own sections are as they were: it may refer to others (a tenant's plan) that are not.
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

/// <summary>What the gate sees of a <see cref="Reloadable{T}"/>.</summary>
internal interface IReloadable
{
    /// <summary>Reads the configuration without taking effect; returns what puts it in force, null when nothing changed.</summary>
    Action? Prepare(IConfiguration configuration, ConfigurationMistakes mistakes);

    /// <summary>Tells those who asked for it.</summary>
    void Announce();
}
