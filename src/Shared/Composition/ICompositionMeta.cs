using System.Text.Json;

namespace Bff.Composition;

/// <summary>The shape of <c>_meta</c>, which each host gives its own clients.</summary>
public interface ICompositionMeta
{
    /// <summary>Writes the object that is the value of <c>_meta</c>.</summary>
    void Write(Utf8JsonWriter json, CompositionReport report);
}
