namespace Bff.Configuration;

/// <summary>Names the section of the configuration that a type is read from, such as <c>Upstreams:&lt;name&gt;</c>.</summary>
/// <param name="path">The section; empty for the root.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SettingsAttribute(string path) : Attribute
{
    /// <summary>The section; empty for the root.</summary>
    public string Path => path;

    /// <summary>Whether edits take effect only at the next start, although the section is checked again before.</summary>
    public bool AtStart { get; init; }
}

/// <summary>
/// Marks a member that configuration sets. Its range refuses a wrong value at start. The range, the member's initial value and its summary
/// are shown in docs/configuration.md.
/// </summary>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class SettingAttribute : Attribute
{
    /// <summary>The key below the section; the member's name when not given.</summary>
    public string? Key { get; init; }

    /// <summary>Smallest accepted value: a number, or a time span as text.</summary>
    public object? Min { get; init; }

    /// <summary>Largest accepted value: a number, or a time span as text.</summary>
    public object? Max { get; init; }

    /// <summary>The accepted values in words, when code decides them. The section's own reader then reads and checks the key.</summary>
    public string? Range { get; init; }

    /// <summary>The default in words, when the member's initial value does not show it.</summary>
    public string? Default { get; init; }

    /// <summary>The description to use in place of the member's summary, when several keys set one member.</summary>
    public string? Meaning { get; init; }

    /// <summary>Whether a list with one value may be written without an index.</summary>
    public bool OrOne { get; init; }

    /// <summary>Other keys below the section with the same meaning, or beside this one, separated by commas.</summary>
    public string? Also { get; init; }

    /// <summary>Whether edits take effect only at the next start, although the section is reloaded before.</summary>
    public bool AtStart { get; init; }
}
