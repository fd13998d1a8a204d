namespace Bff.Configuration;

/// <summary>Says where in the configuration a type is read from, such as <c>Upstreams:&lt;name&gt;</c>.</summary>
/// <param name="path">The section; empty for the root.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SettingsAttribute(string path) : Attribute
{
    /// <summary>The section; empty for the root.</summary>
    public string Path => path;

    /// <summary>Takes effect at the next start, although the section is checked again before.</summary>
    public bool AtStart { get; init; }
}

/// <summary>
/// A member that configuration sets: its range refuses a wrong value at start and is what docs/configuration.md says, beside the member's
/// initial value and its summary.
/// </summary>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class SettingAttribute : Attribute
{
    /// <summary>Below the section; the member's name when not given.</summary>
    public string? Key { get; init; }

    /// <summary>Smallest accepted value: a number, or a time span as text.</summary>
    public object? Min { get; init; }

    /// <summary>Largest accepted value: a number, or a time span as text.</summary>
    public object? Max { get; init; }

    /// <summary>What is accepted, in words, where code decides it: the section's own reader reads and checks such a key.</summary>
    public string? Range { get; init; }

    /// <summary>In words, where the member's initial value does not say it.</summary>
    public string? Default { get; init; }

    /// <summary>In place of the member's summary, where several keys make one member.</summary>
    public string? Meaning { get; init; }

    /// <summary>A list whose only value may stand without a number.</summary>
    public bool OrOne { get; init; }

    /// <summary>Other keys below the section that say the same, or stand beside it, separated by commas.</summary>
    public string? Also { get; init; }

    /// <summary>Takes effect at the next start, although its section is read again before.</summary>
    public bool AtStart { get; init; }
}
