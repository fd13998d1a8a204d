using System.Net;

namespace Bff.Callers;

/// <summary>Counts credentials that were no good, by the client's address, and says when an address has had too many.</summary>
internal interface IFailedCredentials
{
    /// <summary>Whether any address has to wait.</summary>
    bool IsAnyWaiting { get; }

    /// <summary>
    /// How long this address has to wait before a credential that is not known to be good is looked at; null: it has not to wait.
    /// </summary>
    TimeSpan? Wait(IPAddress? address);

    /// <summary>A credential from this address was no good.</summary>
    void Count(IPAddress? address);
}
